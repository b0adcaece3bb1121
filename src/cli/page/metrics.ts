/**
 * A broker's status as metrics in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). A worker has the label `worker` beside its module's.
 */

import type { BrokerStatus } from "../../core/broker/status.ts";
import type { ClusterStatus, ImportStatus } from "../../core/cluster/cluster.ts";
import type { MemberState } from "../../core/cluster/members.ts";
import { OUTCOMES, STRAY_ANSWERS } from "../../core/call/outcomes.ts";
import { processRows } from "../status_rows.ts";
import type { Latency, ProcessState, ProcessStatus } from "../../core/wire/status.ts";

const STATES: Readonly<Record<ProcessState, true>> = {
  starting: true,
  cleaning: true,
  ready: true,
  draining: true,
  stopped: true,
  backoff: true,
  failed: true,
};
/** From 64 µs to 34 s, doubling: the bounds of the histogram in the status. */
const BOUNDS_US = Array.from({ length: 20 }, (_, index) => 2 ** (index + 6));

/** A figure of one process; left out if unknown. */
interface Figure {
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number | null;
}

export function metricsText({ broker, modules, standby = [], cluster }: BrokerStatus): string {
  const own: Labels = cluster === undefined ? {} : { node: cluster.node };
  const processes = processRows({ modules }).map(({ status, module }) => ({
    labels: { ...own, ...(module === null ? { module: status.name } : { module, worker: status.name }) },
    status,
  }));
  const each = (samples: (status: ProcessStatus) => readonly Figure[]) =>
    processes.flatMap(({ labels, status }) =>
      samples(status).flatMap(({ value, labels: more, ...sample }) =>
        value === null ? [] : [{ ...sample, value, labels: { ...labels, ...more } }]
      )
    );
  const one = (value: (status: ProcessStatus) => number | null) => each((status) => [{ value: value(status) }]);
  return [
    gauge("brokkr_build_info", "Version of brokkr and the runtime of the broker, always 1.", [
      { labels: { ...own, broker: broker.name, version: broker.version, runtime: broker.runtime }, value: 1 },
    ]),
    gauge("brokkr_uptime_seconds", "Time since the broker began.", [{ labels: own, value: broker.uptimeMs / 1_000 }]),
    gauge("brokkr_standby_processes", "Processes that are kept ready for the next starts.", [
      { labels: own, value: standby.length },
    ]),
    gauge(
      "brokkr_process_state",
      "1 for the state that the process is in, 0 for each other one.",
      each(({ state }) =>
        Object.keys(STATES).map((name) => ({ labels: { state: name }, value: Number(name === state) }))
      ),
    ),
    gauge(
      "brokkr_process_blocked",
      "1 if the process is blocked, else 0.",
      one(({ blocked }) => Number(blocked)),
    ),
    counter("brokkr_process_restarts_total", "Number of restarts of the process.", one(({ restarts }) => restarts)),
    gauge(
      "brokkr_process_uptime_seconds",
      "Time since the process became ready, 0 before.",
      one(({ uptimeMs }) => uptimeMs / 1_000),
    ),
    gauge(
      "brokkr_process_private_bytes",
      "Memory that the end of the process would give back.",
      one(({ memory }) => memory?.privateBytes ?? null),
    ),
    gauge(
      "brokkr_process_proportional_bytes",
      "Memory of the process in which shared pages count in parts.",
      one(({ memory }) => memory?.pssBytes ?? null),
    ),
    gauge(
      "brokkr_process_resident_bytes",
      "Memory of the process in which shared pages count in full.",
      one(({ memory }) => memory?.rssBytes ?? null),
    ),
    gauge(
      "brokkr_cleanup_seconds",
      "Time that the cleanup after the last start took.",
      one(({ cleanup }) => cleanup === null ? null : cleanup.ms / 1_000),
    ),
    gauge(
      "brokkr_cleanup_errors",
      "Modules whose cleanup failed after the last start.",
      one(({ cleanup }) => cleanup?.errors ?? null),
    ),
    gauge(
      "brokkr_cleanup_private_bytes",
      "Memory that only this process held before and after its cleanup.",
      each(({ cleanup }) => [
        { labels: { when: "before" }, value: cleanup?.privateBytesBefore ?? null },
        { labels: { when: "after" }, value: cleanup?.privateBytesAfter ?? null },
      ]),
    ),
    counter(
      "brokkr_calls_total",
      "Calls to the process by what became of them.",
      each(({ calls }) => OUTCOMES.map((outcome) => ({ labels: { outcome }, value: calls[outcome] }))),
    ),
    counter(
      "brokkr_stray_answers_total",
      "Answers of the process that no call waited for.",
      each(({ calls }) => STRAY_ANSWERS.map((kind) => ({ labels: { kind }, value: calls[kind] }))),
    ),
    family(
      "brokkr_call_latency_seconds",
      { help: "Time from a call to its answer, of answered calls.", type: "histogram" },
      each(({ latencyMs }) => histogram(latencyMs)),
    ),
    ...(cluster === undefined ? [] : clusterFamilies(cluster)),
  ].join("");
}

const MEMBER_STATES: Readonly<Record<Exclude<MemberState, "gone">, true>> = {
  ready: true,
  suspect: true,
  leaving: true,
  incompatible: true,
};

/** `node` is this broker's; `member` is another one, as lines name it; `target` is a module as calls name it. */
function clusterFamilies(
  { node, state, disconnects, dropped, running, members, imports }: ClusterStatus,
): readonly string[] {
  const one = (value: number): Sample[] => [{ labels: { node }, value }];
  const called = (samples: (imported: ImportStatus) => readonly Sample[]) =>
    imports.flatMap((imported) =>
      samples(imported).map((sample) => ({ ...sample, labels: { node, target: imported.name, ...sample.labels } }))
    );
  return [
    gauge(
      "brokkr_cluster_joined",
      "1 if the broker is a member of its cluster, else 0.",
      one(Number(state === "joined")),
    ),
    counter("brokkr_cluster_disconnects_total", "Lost connections to a server of the cluster.", one(disconnects)),
    counter("brokkr_cluster_dropped_total", "Messages of the cluster that could not be read.", one(dropped)),
    gauge("brokkr_cluster_running_calls", "Calls of other brokers that run here.", one(running)),
    gauge(
      "brokkr_cluster_member_state",
      "1 for the state that another broker is in, 0 for each other one.",
      members.flatMap((member) =>
        Object.keys(MEMBER_STATES).map((name) => ({
          labels: { node, member: `${member.broker}@${member.node}`, state: name },
          value: Number(name === member.state),
        }))
      ),
    ),
    gauge(
      "brokkr_cluster_target_nodes",
      "Nodes that are ready for calls to a module of others.",
      called(({ nodes }) => [{ labels: {}, value: nodes.length }]),
    ),
    gauge(
      "brokkr_cluster_pending_calls",
      "Calls to a module of others without an outcome.",
      called(({ pending }) => [{ labels: {}, value: pending }]),
    ),
    counter(
      "brokkr_cluster_calls_total",
      "Calls to a module of others by what became of them.",
      called(({ calls }) => OUTCOMES.map((outcome) => ({ labels: { outcome }, value: calls[outcome] }))),
    ),
    counter(
      "brokkr_cluster_stray_answers_total",
      "Answers of others that no call waited for.",
      called(({ calls }) => STRAY_ANSWERS.map((kind) => ({ labels: { kind }, value: calls[kind] }))),
    ),
    family(
      "brokkr_cluster_call_latency_seconds",
      { help: "Time from a call to a module of others to its answer, of answered calls.", type: "histogram" },
      called(({ latencyMs }) => histogram(latencyMs)),
    ),
  ];
}

function histogram({ histogram, sumMs }: Latency): Sample[] {
  const upTo = (us: number) =>
    histogram.reduce((sum, { upToMs, count }) => upToMs * 1_000 <= us ? sum + count : sum, 0);
  const all = upTo(Infinity);
  return [
    ...BOUNDS_US.map((us) => ({ suffix: "_bucket", labels: { le: String(us / 1e6) }, value: upTo(us) })),
    { suffix: "_bucket", labels: { le: "+Inf" }, value: all },
    { suffix: "_sum", labels: {}, value: sumMs / 1_000 },
    { suffix: "_count", labels: {}, value: all },
  ];
}

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;

interface Sample {
  /** Follows the family's name. @default empty */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  return family(name, { help, type: "gauge" }, samples);
}

function counter(name: string, help: string, samples: readonly Sample[]): string {
  return family(name, { help, type: "counter" }, samples);
}

/** All samples of one name, below its help and type; empty without samples. */
export function family(
  name: string,
  { help, type }: { readonly help: string; readonly type: "counter" | "gauge" | "histogram" },
  samples: readonly Sample[],
): string {
  if (samples.length === 0) return "";
  const lines = samples.map(({ suffix = "", labels, value }) => `${name}${suffix}${labelsText(labels)} ${value}\n`);
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
