/**
 * The state of a broker as a table for people.
 *
 * @module
 */

import { paintState } from "./paint.ts";
import { mebibytes, milliseconds, table } from "./table.ts";
import type { BrokerStatus, ProcessStatus } from "../core/broker/status.ts";

const HEADINGS = [
  "NAME",
  "STATE",
  " PID",
  " RESTARTS",
  " UPTIME",
  " MEMORY",
  " OK",
  " ERR",
  " TIMEOUT",
  " P50",
  " P99",
];

export function statusTable({ broker, modules }: BrokerStatus, { colors }: { readonly colors: boolean }): string {
  const processes = modules.flatMap((module) => [
    { status: module, name: module.name },
    ...module.workers.map((worker) => ({ status: worker, name: `  ${worker.name}` })),
  ]);
  const rows = processes.map(({ status, name }) => cellsOf(name, status));
  const lines = table(HEADINGS, rows, colors).split("\n").map((line, index) => {
    const state = processes[index - 1]?.status.state;
    return state === undefined ? line : line.replace(` ${state} `, ` ${paintState(state, state, colors)} `);
  });
  const { zombies } = broker;
  const left = zombies === null || zombies === 0 ? [] : [
    "",
    `${zombies} ${
      zombies === 1 ? "zombie" : "zombies"
    }: ended processes that nobody collects; run the container with ` +
    "an init, such as docker run --init",
  ];
  const head = `${broker.name}: pid ${broker.pid}, up ${
    shortTime(broker.uptimeMs)
  }, brokkr ${broker.version}, ${broker.runtime}`;
  return [head, "", ...lines, ...left].join("\n");
}

function cellsOf(name: string, status: ProcessStatus): string[] {
  const { state, pid, restarts, uptimeMs, memory, calls, latencyMs } = status;
  return [
    name,
    state,
    pid === null ? "-" : String(pid),
    String(restarts),
    state === "ready" ? shortTime(uptimeMs) : "-",
    // What can't be told apart is shown as a whole.
    mebibytes(memory.privateBytes ?? memory.rssBytes),
    String(calls.ok + calls.retried),
    String(calls.error),
    String(calls.timeout),
    milliseconds(latencyMs.p50),
    milliseconds(latencyMs.p99),
  ];
}

/** `12s`, `3m 04s`, `2h 05m`, `4d 03h`. */
export function shortTime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)];
  const two = (value: number) => String(value).padStart(2, "0");
  if (days > 0) return `${days}d ${two(hours % 24)}h`;
  if (hours > 0) return `${hours}h ${two(minutes % 60)}m`;
  return minutes > 0 ? `${minutes}m ${two(seconds % 60)}s` : `${seconds}s`;
}
