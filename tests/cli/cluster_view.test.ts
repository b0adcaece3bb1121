import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterLine, clusterTables, statusTable } from "../../src/cli/status_table.ts";
import { sampleCluster, sampleMember } from "./sample_cluster.ts";

const BROKER = { name: "front", pid: 1, uptimeMs: 5_000, version: "0.1.0", runtime: "deno 2", zombies: null };
const TWO = {
  sla: { state: "ready", pending: 2, commands: null },
  web: { state: "backoff", pending: 0, commands: null },
} as const;

test("brokkr status has a line of the cluster, and --cluster its nodes, what each exports, and what is called", () => {
  const cluster = sampleCluster({
    members: [sampleMember("web-2", { state: "suspect", silentMs: 3_100 }), sampleMember("web-1", { exports: TWO })],
  });
  assert.equal(
    clusterTables(BROKER, cluster, { colors: false }),
    [
      "cluster prod: joined by 127.0.0.1:4222",
      "connections lost: 0, calls of others that run here: 0",
      "",
      "NODE   BROKER  STATE    UPTIME    HEARD  EXPORTS  STATE    PENDING",
      "front  front   joined       5s        -  -        -              -",
      "web-1  web     ready    1m 01s   412 ms  sla      ready          2",
      "                                         web      backoff        0",
      "web-2  web     suspect  1m 01s  3100 ms  sla      ready          2",
      "",
      "IMPORTS  NODES  PENDING  OK  ERR  TIMEOUT      P50    P99",
      "sla      web-1        3   7    1        2  0.50 ms  21 ms",
    ].join("\n"),
  );
  const lines = statusTable({ broker: BROKER, modules: [], standby: [], cluster }, { colors: false }).split("\n");
  assert.equal(lines.at(-1), "cluster prod: joined as node front, 2 others: web-2 suspect, web-1 ready");
  for (let width = 12; width < 100; width++) {
    const drawn = clusterTables(BROKER, cluster, { colors: false, width }).split("\n");
    assert.ok(drawn.every((line) => line.length <= width), String(width));
  }
  // deno-lint-ignore no-control-regex
  const plain = clusterTables(BROKER, cluster, { colors: true }).replaceAll(/\x1b\[[\d;]*m/g, "");
  assert.equal(plain, clusterTables(BROKER, cluster, { colors: false }));
});

test("the cluster's line says why the broker is no member", () => {
  const lost = sampleCluster({
    state: "disconnected",
    server: null,
    reason: "the server does not answer",
    members: [],
  });
  assert.equal(
    clusterLine(lost),
    "cluster prod: disconnected as node front (the server does not answer), 0 others",
  );
});
