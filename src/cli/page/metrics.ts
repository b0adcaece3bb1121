/**
 * A broker's status as metrics in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). A worker has the label `worker` beside its module's.
 *
 * @module
 */

import type { BrokerStatus } from "../../core/broker/status.ts";
import { OUTCOMES, STRAY_ANSWERS } from "../../core/call/outcomes.ts";
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

interface Labelled {
  readonly labels: Labels;
  readonly status: ProcessStatus;
}

/** A figure of one process; left out if unknown. */
interface Figure {
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number | null;
}

export function metricsText({ broker, modules, standby = [] }: BrokerStatus): string {
  const processes: Labelled[] = modules.flatMap((module) => [
    { labels: { module: module.name }, status: module },
    ...module.workers.map((status) => ({ labels: { module: module.name, worker: status.name }, status })),
  ]);
  const each = (samples: (status: ProcessStatus) => readonly Figure[]) =>
    processes.flatMap(({ labels, status }) =>
      samples(status).flatMap(({ value, labels: more, ...sample }) =>
        value === null ? [] : [{ ...sample, value, labels: { ...labels, ...more } }]
      )
    );
  const one = (value: (status: ProcessStatus) => number | null) => each((status) => [{ value: value(status) }]);
  const gauge = (name: string, help: string, samples: readonly Sample[]) =>
    family(name, { help, type: "gauge" }, samples);
  const counter = (name: string, help: string, samples: readonly Sample[]) =>
    family(name, { help, type: "counter" }, samples);
  return [
    gauge("brokkr_build_info", "Version of brokkr and the runtime of the broker, always 1.", [
      { labels: { broker: broker.name, version: broker.version, runtime: broker.runtime }, value: 1 },
    ]),
    gauge("brokkr_uptime_seconds", "Time since the broker began.", [{ labels: {}, value: broker.uptimeMs / 1_000 }]),
    gauge("brokkr_standby_processes", "Processes that are kept ready for the next starts.", [
      { labels: {}, value: standby.length },
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
  ].join("");
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
