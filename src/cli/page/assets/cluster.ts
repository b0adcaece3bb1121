/** The brokers of the cluster, where the broker has one. */

import type { BrokerStatus } from "../../../core/broker/status.ts";
import { byId, make, set } from "./elements.ts";
import { count, milliseconds, timeText } from "./tables.ts";

type Cell = readonly [text: string, className: string];

export function showCluster({ broker, cluster }: BrokerStatus): void {
  byId("cluster-section", HTMLElement).hidden = cluster === undefined;
  if (cluster === undefined) return;
  const { name, node, state, server, reason, members, imports, exports, disconnects } = cluster;
  const by = server === null ? "" : ` by ${server}`;
  const why = reason === null ? "" : `: ${reason}`;
  const lost = disconnects === 0 ? "" : `, ${count(disconnects)} connections lost`;
  const isWell = state === "joined";
  set(byId("cluster-state", HTMLParagraphElement), `${name}: ${state}${by}${why}${lost}`, isWell ? "" : "lost");
  const own = {
    broker: broker.name,
    node,
    state: isWell ? "ready" : state,
    uptimeMs: broker.uptimeMs,
    silentMs: null,
    exports,
  };
  const others = [...members].sort((one, other) => one.node < other.node ? -1 : 1);
  const nodes = [own, ...others].map(({ broker, node, state, uptimeMs, silentMs, exports }): Cell[] => {
    const modules = Object.entries(exports).map(([module, { state, pending }]) =>
      `${module} (${state}, ${count(pending)} pending)`
    );
    return [
      [node, ""],
      [broker, ""],
      [
        state,
        `state ${state === "suspect" || state === "leaving" ? "backoff" : state === "ready" ? "ready" : "failed"}`,
      ],
      [timeText(uptimeMs), "number"],
      [silentMs === null ? "–" : `${milliseconds(silentMs)} ago`, "number"],
      [modules.join(", ") || "nothing", ""],
    ];
  });
  fill("cluster", "Brokers: state, and the modules that others may call", {
    headings: ["node", "broker", "state", "up for", "heard", "exports"],
    rows: nodes,
  });
  const called = imports.map(({ name, nodes, pending, calls, latencyMs: { p50, p99 } }): Cell[] => [
    [name, ""],
    [nodes.join(", ") || "nobody", nodes.length === 0 ? "hot" : ""],
    ...[pending, calls.ok + calls.retried].map((value): Cell => [count(value), "number"]),
    ...[calls.error, calls.timeout].map((value): Cell => [count(value), value > 0 ? "number hot" : "number"]),
    [milliseconds(p50), "number"],
    [milliseconds(p99), "number"],
  ]);
  fill("imports", "Modules of others: calls of this broker since its start", {
    headings: ["module", "nodes", "pending", "ok", "error", "timeout", "p50", "p99"],
    rows: called,
  });
}

/** Rows and cells stay where their number does, so that a reader does not lose the place. */
function fill(
  id: string,
  caption: string,
  { headings, rows }: { readonly headings: readonly string[]; readonly rows: readonly (readonly Cell[])[] },
): void {
  const table = byId(id, HTMLTableElement);
  table.hidden = rows.length === 0;
  if (table.tBodies[0]?.rows.length !== rows.length) {
    const head = make("thead", "");
    const line = make("tr", "");
    line.append(
      ...headings.map((heading, column) => make("th", heading, { scope: "col", class: numeric(rows, column) })),
    );
    head.append(line);
    const body = make("tbody", "");
    for (const row of rows) {
      const line = make("tr", "");
      line.append(...row.map((_, column) => column === 0 ? make("th", "", { scope: "row" }) : make("td", "")));
      body.append(line);
    }
    table.replaceChildren(make("caption", caption), head, body);
  }
  rows.forEach((row, index) =>
    row.forEach(([text, className], column) => {
      const cell = table.tBodies[0]?.rows[index]?.cells[column];
      if (cell !== undefined) set(cell, text, className);
    })
  );
}

function numeric(rows: readonly (readonly Cell[])[], column: number): string {
  return rows[0]?.[column]?.[1].startsWith("number") === true ? "number" : "";
}
