/** The brokers of the cluster, where the broker has one. */

import type { BrokerStatus } from "../../../core/broker/status.ts";
import type { ImportStatus } from "../../../core/cluster/cluster.ts";
import { nodeRows } from "../../status_rows.ts";
import { byId, count, fill, hot, milliseconds, set, type Table, timeText } from "./elements.ts";

type Node = ReturnType<typeof nodeRows>[number];

const NODES: Table<Node> = {
  caption: "Brokers: state and exported modules",
  columns: [
    { heading: "node", text: ({ node }) => node, isText: true },
    { heading: "broker", text: ({ broker }) => broker, isText: true },
    { heading: "state", text: shownState, isText: true, className: (node) => `state ${styleOf(shownState(node))}` },
    { heading: "up for", text: ({ uptimeMs }) => timeText(uptimeMs) },
    { heading: "heard", text: ({ silentMs }) => silentMs === null ? "–" : `${milliseconds(silentMs)} ago` },
    { heading: "exports", text: ({ exports }) => exportsText(exports), isText: true },
  ],
};

const IMPORTS: Table<ImportStatus> = {
  caption: "Imported modules: calls of this broker since its start",
  columns: [
    { heading: "module", text: ({ name }) => name, isText: true },
    {
      heading: "nodes",
      text: ({ nodes }) => nodes.join(", ") || "nobody",
      isText: true,
      className: ({ nodes }) => nodes.length === 0 ? "hot" : "",
    },
    { heading: "pending", text: ({ pending }) => count(pending) },
    { heading: "ok", text: ({ calls }) => count(calls.ok + calls.retried) },
    { heading: "error", text: ({ calls }) => count(calls.error), className: ({ calls }) => hot(calls.error) },
    { heading: "timeout", text: ({ calls }) => count(calls.timeout), className: ({ calls }) => hot(calls.timeout) },
    { heading: "p50", text: ({ latencyMs }) => milliseconds(latencyMs.p50) },
    { heading: "p99", text: ({ latencyMs }) => milliseconds(latencyMs.p99) },
  ],
};

export function showCluster({ broker, cluster }: BrokerStatus): void {
  byId("cluster-section", HTMLElement).hidden = cluster === undefined;
  if (cluster === undefined) return;
  const { name, state, server, reason, imports, disconnects } = cluster;
  const by = server === null ? "" : ` by ${server}`;
  const why = reason === null ? "" : `: ${reason}`;
  const lost = disconnects === 0 ? "" : `, ${count(disconnects)} connections lost`;
  const text = `${name}: ${state}${by}${why}${lost}`;
  set(byId("cluster-state", HTMLParagraphElement), text, state === "joined" ? "" : "lost");
  fill("cluster", NODES, nodeRows(broker, cluster));
  byId("imports", HTMLTableElement).hidden = imports.length === 0;
  fill("imports", IMPORTS, imports);
}

/** This node is ready where it has joined. */
function shownState({ state }: Node): string {
  return state === "joined" ? "ready" : state;
}

/** The state of a process that looks the same. */
function styleOf(state: string): string {
  if (state === "suspect" || state === "leaving") return "backoff";
  return state === "ready" ? "ready" : "failed";
}

function exportsText(exports: Node["exports"]): string {
  const modules = Object.entries(exports).map(([module, { state, pending }]) =>
    `${module} (${state}, ${count(pending)} pending)`
  );
  return modules.join(", ") || "nothing";
}
