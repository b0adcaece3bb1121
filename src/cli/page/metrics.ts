/**
 * A broker's status as metrics in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). A worker has the label `worker` beside its module's.
 */

import type { BrokerStatus } from "../../core/broker/status.ts";
import type { ClusterStatus, ImportStatus, MemberStatus } from "../../core/cluster/cluster.ts";
import type { MemberState } from "../../core/cluster/members.ts";
import { OUTCOMES, STRAY_ANSWERS } from "../../core/call/outcomes.ts";
import { type ProcessRow, processRows } from "../status_rows.ts";
import { type Latency, PROCESS_STATES, type ProcessStatus } from "../../core/wire/status.ts";

const MEMBER_STATES: Readonly<Record<Exclude<MemberState, "gone">, true>> = {
  ready: true,
  suspect: true,
  leaving: true,
  incompatible: true,
};
/** From 64 µs to 34 s, doubling: the bounds of the histogram in the status. */
const BOUNDS_US = Array.from({ length: 20 }, (_, index) => 2 ** (index + 6));

type Labels = Readonly<Record<string, string>>;

/** One line of a family; left out where its value is not known. */
interface Figure {
  /** Follows the family's name. @default empty */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number | null;
}

/** A family: its name, its help, and its figures of one `T`. A counter's name ends with `_total`. */
type Metric<T> = readonly [name: string, help: string, figures: (of: T) => number | null | readonly Figure[]];

const BROKER: readonly Metric<BrokerStatus>[] = [
  [
    "brokkr_build_info",
    "Version of brokkr and the runtime of the broker, always 1.",
    ({ broker: { name, version, runtime } }) => [{ labels: { broker: name, version, runtime }, value: 1 }],
  ],
  ["brokkr_uptime_seconds", "Time since the broker began.", ({ broker }) => broker.uptimeMs / 1_000],
  [
    "brokkr_standby_processes",
    "Processes that are kept ready for the next starts.",
    ({ standby = [] }) => standby.length,
  ],
];

const PROCESS: readonly Metric<ProcessStatus>[] = [
  [
    "brokkr_process_state",
    "1 for the state that the process is in, 0 for each other one.",
    ({ state }) => eachState(PROCESS_STATES, state),
  ],
  ["brokkr_process_blocked", "1 if the process is blocked, else 0.", ({ blocked }) => Number(blocked)],
  ["brokkr_process_restarts_total", "Number of restarts of the process.", ({ restarts }) => restarts],
  [
    "brokkr_process_uptime_seconds",
    "Time since the process became ready, 0 before.",
    ({ uptimeMs }) => uptimeMs / 1_000,
  ],
  [
    "brokkr_process_private_bytes",
    "Memory that the end of the process would give back.",
    ({ memory }) => memory?.privateBytes ?? null,
  ],
  [
    "brokkr_process_proportional_bytes",
    "Memory of the process in which shared pages count in parts.",
    ({ memory }) => memory?.pssBytes ?? null,
  ],
  [
    "brokkr_process_resident_bytes",
    "Memory of the process in which shared pages count in full.",
    ({ memory }) => memory?.rssBytes ?? null,
  ],
  [
    "brokkr_cleanup_seconds",
    "Time that the cleanup after the last start took.",
    ({ cleanup }) => cleanup === null ? null : cleanup.ms / 1_000,
  ],
  [
    "brokkr_cleanup_errors",
    "Modules whose cleanup failed after the last start.",
    ({ cleanup }) => cleanup?.errors ?? null,
  ],
  [
    "brokkr_cleanup_private_bytes",
    "Memory that only this process held before and after its cleanup.",
    ({ cleanup }) => [
      { labels: { when: "before" }, value: cleanup?.privateBytesBefore ?? null },
      { labels: { when: "after" }, value: cleanup?.privateBytesAfter ?? null },
    ],
  ],
  ["brokkr_calls_total", "Calls to the process by what became of them.", outcomes],
  ["brokkr_stray_answers_total", "Answers of the process that no call waited for.", strayAnswers],
  ["brokkr_call_latency_seconds", "Time from a call to its answer, of answered calls.", histogram],
];

const CLUSTER: readonly Metric<ClusterStatus>[] = [
  [
    "brokkr_cluster_joined",
    "1 if the broker is a member of its cluster, else 0.",
    ({ state }) => Number(state === "joined"),
  ],
  [
    "brokkr_cluster_disconnects_total",
    "Lost connections to a server of the cluster.",
    ({ disconnects }) => disconnects,
  ],
  ["brokkr_cluster_dropped_total", "Messages of the cluster that could not be read.", ({ dropped }) => dropped],
  ["brokkr_cluster_running_calls", "Calls of other brokers that run here.", ({ running }) => running],
];

const MEMBER: readonly Metric<MemberStatus>[] = [
  [
    "brokkr_cluster_member_state",
    "1 for the state that another broker is in, 0 for each other one.",
    ({ state }) => eachState(Object.keys(MEMBER_STATES), state),
  ],
];

const IMPORT: readonly Metric<ImportStatus>[] = [
  ["brokkr_cluster_target_nodes", "Nodes that are ready for calls to a module of others.", ({ nodes }) => nodes.length],
  ["brokkr_cluster_pending_calls", "Calls to a module of others without an outcome.", ({ pending }) => pending],
  ["brokkr_cluster_calls_total", "Calls to a module of others by what became of them.", outcomes],
  ["brokkr_cluster_stray_answers_total", "Answers of others that no call waited for.", strayAnswers],
  [
    "brokkr_cluster_call_latency_seconds",
    "Time from a call to a module of others to its answer, of answered calls.",
    histogram,
  ],
];

/** `node` is this broker's; `member` is another one, as lines name it; `target` is a module as calls name it. */
export function metricsText(status: BrokerStatus): string {
  const { cluster } = status;
  const { members = [], imports = [] } = cluster ?? {};
  const own: Labels = cluster === undefined ? {} : { node: cluster.node };
  const labelsOf = ({ status: { name }, module }: ProcessRow) =>
    module === null ? { ...own, module: name } : { ...own, module, worker: name };
  return [
    ...families(BROKER, [[own, status]]),
    ...families(PROCESS, processRows(status).map((row) => [labelsOf(row), row.status])),
    ...families(CLUSTER, cluster === undefined ? [] : [[own, cluster]]),
    ...families(MEMBER, members.map((one) => [{ ...own, member: `${one.broker}@${one.node}` }, one])),
    ...families(IMPORT, imports.map((one) => [{ ...own, target: one.name }, one])),
  ].join("");
}

function families<T>(metrics: readonly Metric<T>[], all: readonly (readonly [labels: Labels, of: T])[]): string[] {
  return metrics.map(([name, help, figures]) => {
    const type = name.endsWith("_total") ? "counter" : figures === histogram ? "histogram" : "gauge";
    const samples = all.flatMap(([labels, of]) => {
      const found = figures(of);
      return (typeof found === "object" && found !== null ? found : [{ value: found }])
        .map((figure: Figure) => ({ ...figure, labels: { ...labels, ...figure.labels } }));
    });
    return family(name, { help, type }, samples.filter(({ value }) => value !== null));
  });
}

function eachState(states: readonly string[], current: string): Figure[] {
  return states.map((state) => ({ labels: { state }, value: Number(state === current) }));
}

function outcomes({ calls }: Pick<ProcessStatus, "calls">): Figure[] {
  return OUTCOMES.map((outcome) => ({ labels: { outcome }, value: calls[outcome] }));
}

function strayAnswers({ calls }: Pick<ProcessStatus, "calls">): Figure[] {
  return STRAY_ANSWERS.map((kind) => ({ labels: { kind }, value: calls[kind] }));
}

function histogram({ latencyMs: { histogram, sumMs } }: { readonly latencyMs: Latency }): Figure[] {
  const upTo = (us: number) =>
    histogram.reduce((sum, { upToMs, count }) => upToMs * 1_000 <= us ? sum + count : sum, 0);
  const all = upTo(Infinity);
  return [
    ...BOUNDS_US.map((us) => ({ suffix: "_bucket", labels: { le: String(us / 1e6) }, value: upTo(us) })),
    { suffix: "_bucket", labels: { le: "+Inf" }, value: all },
    { suffix: "_sum", value: sumMs / 1_000 },
    { suffix: "_count", value: all },
  ];
}

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** All samples of one name, below its help and type; empty without samples. */
export function family(
  name: string,
  { help, type }: { readonly help: string; readonly type: "counter" | "gauge" | "histogram" },
  samples: readonly Figure[],
): string {
  if (samples.length === 0) return "";
  const lines = samples.map(({ suffix = "", labels = {}, value }) =>
    `${name}${suffix}${labelsText(labels)} ${value}\n`
  );
  return `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n${
    lines.join("")
  }`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
