/** The processes of a broker as a table. */

import type { BrokerStatus } from "../core/broker/status.ts";
import type { ProcessStatus } from "../core/wire/status.ts";
import { clusterLine } from "./cluster_view.ts";
import { table } from "./columns.ts";
import { cut, mebibytes, milliseconds, shortTime } from "./figures.ts";
import { bold, paintState } from "./colors.ts";

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

/** What a narrow terminal goes without, first to last; the other columns always stay. */
const DISPENSABLE = [" P50", " UPTIME", " OK", " P99", " RESTARTS", " TIMEOUT", " PID", " ERR", " MEMORY"];

export interface TableOptions {
  readonly colors: boolean;
  /** Columns of the terminal. @default as many as the table needs */
  readonly width?: number | undefined;
}

export function statusTable(
  { broker, modules, standby = [], cluster }: BrokerStatus,
  { colors, width = Infinity }: TableOptions,
): string {
  const processes = modules.flatMap((module) => [
    { status: module, name: module.name },
    ...module.workers.map((worker) => ({ status: worker, name: `  ${worker.name}` })),
  ]);
  const rows = processes.map(({ status, name }) => cellsOf(name, status));
  const lines = tableWithin(width, rows).map((line, index) => {
    const state = processes[index - 1]?.status.state;
    return state === undefined
      ? bold(line, colors)
      : line.replace(` ${state} `, ` ${paintState(state, state, colors)} `);
  });
  const ready = standby.map(({ pid, memory }) => `pid ${pid} (${mebibytes(memory.privateBytes ?? memory.rssBytes)})`);
  const waiting = ready.length === 0 ? [] : ["", `standby: ${ready.join(", ")}`];
  const others = cluster === undefined ? [] : ["", cut(clusterLine(cluster), width)];
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
  return [head, "", ...lines, ...waiting, ...others, ...left].join("\n");
}

/** The lines of the table, with as many of its columns as fit. */
function tableWithin(width: number, rows: readonly (readonly string[])[]): string[] {
  for (let without = 0;; without++) {
    const dropped = DISPENSABLE.slice(0, without);
    const pick = (cells: readonly string[]) => cells.filter((_, column) => !dropped.includes(HEADINGS[column] ?? ""));
    const lines = table(pick(HEADINGS), rows.map(pick), false).split("\n");
    if (lines.every((line) => line.length <= width)) return lines;
    if (without === DISPENSABLE.length) return lines.map((line) => cut(line, width));
  }
}

function cellsOf(name: string, status: ProcessStatus): string[] {
  const { state, pid, restarts, uptimeMs, memory, calls, latencyMs } = status;
  return [
    name,
    state,
    pid === null ? "-" : String(pid),
    String(restarts),
    state === "ready" ? shortTime(uptimeMs) : "-",
    // Without a figure for private memory, all resident memory is shown.
    mebibytes(memory?.privateBytes ?? memory?.rssBytes ?? null),
    String(calls.ok + calls.retried),
    String(calls.error),
    String(calls.timeout),
    milliseconds(latencyMs.p50),
    milliseconds(latencyMs.p99),
  ];
}
