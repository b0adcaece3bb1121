/** The cluster of a broker as text: one line, and tables of the nodes and of what is imported. */

import type { BrokerStatus } from "../core/broker/status.ts";
import type { ClusterStatus, MemberStatus } from "../core/cluster/cluster.ts";
import { table, type TableOptions } from "./columns.ts";
import { cut, milliseconds, shortTime } from "./figures.ts";
import { paintState } from "./colors.ts";
import { nodeRows } from "./status_rows.ts";

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
