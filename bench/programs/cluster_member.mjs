// A broker in a cluster: it prints its memory and processor time while CLUSTER_NODES brokers with CLUSTER_MODULES modules each, made up by
// the caller, say that they are there. One that calls a module of each of them costs more: this one calls none.
import { readFileSync } from "node:fs";
import process from "node:process";
import { connect } from "@nats-io/transport-node";

const isDeno = "Deno" in globalThis;
const { Broker } = await import(isDeno ? "../../mod.ts" : "../../npm/mod.js");
const { nats } = await import(isDeno ? "../../nats.ts" : "../../npm/nats.js");

const { CLUSTER_SERVER: server, CLUSTER_NODES: nodes, CLUSTER_MS: ms = "10000" } = process.env;
const cluster = nats({ servers: [server], name: "bench", node: "front", imports: ["module-1"], connect });
const broker = await Broker.start({ name: "front", modules: [], logLevel: "error", cluster });
const until = performance.now() + 30_000;
while ((await broker.status()).cluster.members.length < Number(nodes)) {
  if (performance.now() > until) throw new Error("not all members were seen");
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const before = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, Number(ms)));
const { user, system } = process.cpuUsage(before);
const pages = /^Private_Dirty: +(\d+)/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"));
console.log(JSON.stringify({ privateBytes: Number(pages?.[1]) * 1024, cpuPart: (user + system) / 1000 / Number(ms) }));
await broker.stop();
process.exit(0);
