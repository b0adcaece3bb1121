/** The processes of a broker as a table. */

import type { BrokerStatus } from "../core/broker/status.ts";
import type { ProcessStatus } from "../core/wire/status.ts";
import { clusterLine } from "./cluster_view.ts";
import { table, type TableOptions } from "./columns.ts";
import { cut, mebibytes, milliseconds, shortTime } from "./figures.ts";
import { bold, paintState } from "./colors.ts";
import { memoryOf, type ProcessRow, processRows } from "./status_rows.ts";

interface Column {
  /** Right-aligned where it begins with a space. */
  readonly heading: string;
  /** A narrow terminal goes without those with a low number first, and always has those without one. */
  readonly rank?: number;
  readonly text: (status: ProcessStatus) => string;
}

const COLUMNS: readonly Column[] = [
  { heading: "STATE", text: ({ state }) => state },
  { heading: " PID", rank: 7, text: ({ pid }) => String(pid ?? "-") },
  { heading: " RESTARTS", rank: 5, text: ({ restarts }) => String(restarts) },
  { heading: " UPTIME", rank: 2, text: ({ state, uptimeMs }) => state === "ready" ? shortTime(uptimeMs) : "-" },
  { heading: " MEMORY", rank: 9, text: (status) => mebibytes(memoryOf(status)) },
  { heading: " OK", rank: 3, text: ({ calls }) => String(calls.ok + calls.retried) },
  { heading: " ERR", rank: 8, text: ({ calls }) => String(calls.error) },
  { heading: " TIMEOUT", rank: 6, text: ({ calls }) => String(calls.timeout) },
  { heading: " P50", rank: 1, text: ({ latencyMs }) => milliseconds(latencyMs.p50) },
  { heading: " P99", rank: 4, text: ({ latencyMs }) => milliseconds(latencyMs.p99) },
];

export function statusTable(
  { broker, modules, standby = [], cluster }: BrokerStatus,
  { colors, width = Infinity }: TableOptions,
): string {
  const processes = processRows({ modules });
  const lines = tableWithin(width, processes).map((line, index) => {
    const state = processes[index - 1]?.status.state;
    return state === undefined
      ? bold(line, colors)
      : line.replace(` ${state} `, ` ${paintState(state, state, colors)} `);
  });
  const ready = standby.map(({ pid, memory }) => `pid ${pid} (${mebibytes(memoryOf({ memory }))})`);
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
function tableWithin(width: number, processes: readonly ProcessRow[]): string[] {
  for (let without = 0;; without++) {
    const columns = COLUMNS.filter(({ rank = Infinity }) => rank > without);
    const rows = processes.map(({ status, module }) => [
      module === null ? status.name : `  ${status.name}`,
      ...columns.map(({ text }) => text(status)),
    ]);
    const lines = table(["NAME", ...columns.map(({ heading }) => heading)], rows, { colors: false });
    if (lines.every((line) => line.length <= width)) return lines;
    if (columns.every(({ rank }) => rank === undefined)) return lines.map((line) => cut(line, width));
  }
}
