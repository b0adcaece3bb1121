// Modules that each hold objects from import on. With BENCH_KEEP=1 nobody releases them. With BENCH_ONLY=NAME only that
// module's are loaded: the floor.
import process from "node:process";

const { Broker, defineModule } = await import("Deno" in globalThis ? "../../mod.ts" : "../../npm/mod.js");

const count = Number(process.env.BENCH_MODULES ?? 3);
const objects = Math.round(Number(process.env.BENCH_MIB ?? 100) * 4_500);
const names = Array.from({ length: count }, (_, index) => `module-${index}`);
const only = process.env.BENCH_ONLY ?? null;
const load = process.env.BENCH_DATA === "map" ? loadMap : loadArray;
const data = new Map(names.map((name) => [name, load(name, only === null || only === name ? objects : 0)]));

const modules = names.map((name) =>
  defineModule({
    name,
    commands: { size: () => data.get(name).size ?? data.get(name).length },
    ...(process.env.BENCH_KEEP === "1" ? {} : { afterForkCleanup: () => release(data.get(name)) }),
  })
);

const broker = await Broker.start({ name: "bench", modules, logLevel: "warning" });
const status = await broker.status();
const [first] = status.modules;
const size = await broker.call(first.name, "size");
if (size !== objects) throw new Error(`${first.name} holds ${size} objects and should hold ${objects}`);
console.log(JSON.stringify({ ms: first.cleanup.ms, after: first.cleanup.privateBytesAfter }));
await broker.stop();
process.exit(0);

function release(held) {
  if (held instanceof Map) held.clear();
  else held.length = 0;
}

function item(name, id) {
  return { id, name: `${name}-item-${id}`, tags: [id, id + 1], value: id * 3.5 };
}

function loadArray(name, length) {
  return Array.from({ length }, (_, id) => item(name, id));
}

function loadMap(name, length) {
  const map = new Map();
  for (let id = 0; id < length; id++) map.set(`${name}-${id}`, item(name, id));
  return map;
}
