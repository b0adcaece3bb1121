// The start of BENCH_MODULES modules, and calls to one of BENCH_MODULES modules, the others idle: what a call costs.
import process from "node:process";
import { echo, throughput } from "./load.mjs";
import { makeValues } from "./values.mjs";

const { Broker, defineModule } = await import("Deno" in globalThis ? "../../mod.ts" : "../../npm/mod.js");

const count = Number(process.env.BENCH_MODULES);
const modules = Array.from({ length: count }, (_, n) => defineModule({ name: `echo-${n}`, commands: { echo } }));
const start = performance.now();
const broker = await Broker.start({ name: "bench", modules, logLevel: "error" });
const readyMs = performance.now() - start;
const restarts = (await broker.status()).modules.reduce((sum, module) => sum + module.restarts, 0);
const call = (value) => broker.call(`echo-${count - 1}`, "echo", [value], { timeoutMs: 30_000 });
const load = { values: makeValues("mix"), inFlight: 100 };
await throughput(call, { ...load, ms: 300 });
const before = process.cpuUsage();
const { calls } = await throughput(call, { ...load, ms: Number(process.env.BENCH_MS) });
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuUs: (user + system) / calls, readyMs, restarts }));
await broker.stop();
process.exit(0);
