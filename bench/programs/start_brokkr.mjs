// brokkr: from the spawn of a module's process to its first answer, and what the process holds when it is idle.

const { Broker, defineModule } = await import("Deno" in globalThis ? "../../mod.ts" : "../../npm/mod.js");

const module = defineModule({ name: "echo", commands: { echo: (value) => value } });
let start = 0;
const log = ({ event }) => event === "process.starting" && (start = performance.now());
const broker = await Broker.start({ name: "bench", modules: [module], log });
await broker.call("echo", "echo", [{ id: 1 }], { timeoutMs: 10_000 });
const ms = performance.now() - start;
const { modules } = await broker.status();
const { atRest } = await import("./at_rest.mjs");
console.log(JSON.stringify({ ms, ...await atRest(modules[0].pid) }));
await broker.stop();
