// brokkr: calls with all guarantees, to a module that echoes.
import process from "node:process";
import { echo, measure } from "./load.mjs";

const { Broker, defineModule } = await import("Deno" in globalThis ? "../../mod.ts" : "../../npm/mod.js");

const module = defineModule({ name: "echo", commands: { echo } });
const broker = await Broker.start({ name: "bench", modules: [module], logLevel: "warning" });
await measure((value) => broker.call("echo", "echo", [value], { timeoutMs: 10_000 }));
await broker.stop();
process.exit(0);
