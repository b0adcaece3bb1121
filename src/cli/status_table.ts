/** The status of a broker as text: its processes as a table; its cluster in one line, and as tables of the nodes and of what is imported. */

import type { BrokerStatus } from "../core/broker/status.ts";
import type { ProcessStatus } from "../core/wire/status.ts";
import { escapeText } from "../core/log/escape.ts";
import { cut, mebibytes, milliseconds, shortTime } from "./figures.ts";
import { bold, paintState, table, type TableOptions } from "./terminal.ts";
import { memoryOf, nodeRows, type ProcessRow, processRows } from "./status_rows.ts";
import type { ClusterStatus, MemberStatus } from "../core/cluster/cluster.ts";

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
  const reasons = processes.flatMap(({ status: { name, state, reason } }) =>
    reason === null ? [] : [`${name} ${state === "failed" ? "has failed" : "is started again"}: ${escapeText(reason)}`]
  );
  const ended = reasons.length === 0 ? [] : ["", ...reasons.map((line) => cut(line, width))];
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
  return [cut(head, width), "", ...lines, ...ended, ...waiting, ...others, ...left].join("\n");
}

/** The lines of the table, with as many of its columns as fit; names are cut where not even their states fit beside them. */
function tableWithin(width: number, processes: readonly ProcessRow[]): string[] {
  for (let without = 0;; without++) {
    const columns = COLUMNS.filter(({ rank = Infinity }) => rank > without);
    const headings = columns.map(({ heading }) => heading);
    const cells = processes.map(({ status }) => columns.map(({ text }) => text(status)));
    const names = processes.map(({ status: { name }, module }) => module === null ? name : `  ${name}`);
    const tableOf = (names: readonly string[], limit?: number) =>
      table(["NAME", ...headings], names.map((name, at) => [name, ...cells[at] ?? []]), {
        colors: false,
        width: limit,
      });
    const lines = tableOf(names);
    if (lines.every((line) => line.length <= width)) return lines;
    if (columns.some(({ rank }) => rank !== undefined)) continue;
    const states = Math.max(...table(headings, cells, { colors: false }).map((line) => line.length));
    return tableOf(names.map((name) => cutInside(name, Math.max(MIN_NAME, width - states - GAP))), width);
  }
}

const MIN_NAME = 6;
/** Between two columns. */
const GAP = 2;

/** `name` in at most `length` characters, with its end, which tells the workers of a module apart. */
function cutInside(name: string, length: number): string {
  const end = Math.floor(length / 3);
  return name.length <= length ? name : `${name.slice(0, length - end - 1)}…${name.slice(-end)}`;
}

/** `cluster prod: joined as node web-1, 2 others: web-2 ready, web-3 suspect`. */
export function clusterLine({ name, node, state, reason, members }: ClusterStatus): string {
  const why = reason === null || state === "joined" ? "" : ` (${reason})`;
  const listed = members.map(({ node, state }) => `${node} ${state}`).join(", ");
  return `cluster ${name}: ${state} as node ${node}${why}, ${
    members.length === 1 ? "1 other" : `${members.length} others`
  }${listed === "" ? "" : `: ${listed}`}`;
}

const NODES = ["NODE", "BROKER", "STATE", " UPTIME", " HEARD", "EXPORTS", "STATE", " PENDING"];
const IMPORTS = ["IMPORTS", "NODES", " PENDING", " OK", " ERR", " TIMEOUT", " P50", " P99"];

/** The nodes, this one first, a row for each module that others may call; and the modules of others that this broker calls. */
export function clusterTables(
  broker: BrokerStatus["broker"],
  cluster: ClusterStatus,
  options: TableOptions,
): string {
  const { name, state, server, reason, running, imports, disconnects } = cluster;
  const rows = nodeRows(broker, cluster).flatMap(({ node, broker, state, uptimeMs, silentMs, exports }) => {
    const cells = [node, broker, state, shortTime(uptimeMs), silentMs === null ? "-" : milliseconds(silentMs)];
    const modules = Object.entries(exports).map(([module, { state, pending }]) => [module, state, String(pending)]);
    const [first = ["-", "-", "-"], ...more] = modules;
    return [[...cells, ...first], ...more.map((module) => [...cells.map(() => ""), ...module])];
  });
  const head = [
    `cluster ${name}: ${state}${server === null ? "" : ` by ${server}`}${reason === null ? "" : ` (${reason})`}`,
    `connections lost: ${disconnects}, calls of others that run here: ${running}`,
  ];
  const called = imports.map(({ name, nodes, pending, calls, latencyMs: { p50, p99 } }) => [
    name,
    nodes.join(", ") || "nobody",
    ...[pending, calls.ok + calls.retried, calls.error, calls.timeout].map(String),
    milliseconds(p50),
    milliseconds(p99),
  ]);
  const nodes = table(NODES, rows, options).map((line) =>
    line.replace(
      / (ready|suspect|leaving|incompatible) /,
      (_, state: MemberStatus["state"]) => ` ${paintState(state, state, options.colors)} `,
    )
  );
  const others = called.length === 0 ? [] : ["", ...table(IMPORTS, called, options)];
  return [...head.map((line) => cut(line, options.width ?? Infinity)), "", ...nodes, ...others].join("\n");
}
