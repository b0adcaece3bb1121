// Modules that each hold objects from import on. With BENCH_ONLY=NAME only that module's are loaded: the floor.
import process from "node:process";

const { Broker, defineModule } = await import("Deno" in globalThis ? "../../mod.ts" : "../../npm/mod.js");

const count = Number(process.env.BENCH_MODULES ?? 3);
const objects = Math.round(Number(process.env.BENCH_MIB ?? 100) * 4_500);
const names = Array.from({ length: count }, (_, index) => `module-${index}`);
const only = process.env.BENCH_ONLY ?? null;
const data = new Map(names.map((name) => [name, only === null || only === name ? load(name) : []]));

const modules = names.map((name) =>
  defineModule({
    name,
    commands: { size: () => data.get(name).length },
    afterForkCleanup: () => void (data.get(name).length = 0),
  })
);

const broker = await Broker.start({ name: "bench", modules, logLevel: "warning" });
const status = await broker.status();
const [first] = status.modules;
console.log(JSON.stringify({
  size: await broker.call(first.name, "size"),
  ms: first.cleanup.ms,
  before: first.cleanup.privateBytesBefore,
  after: first.cleanup.privateBytesAfter,
}));
await broker.stop();
process.exit(0);

function load(name) {
  return Array.from(
    { length: objects },
    (_, id) => ({ id, name: `${name}-item-${id}`, tags: [id, id + 1], value: id * 3.5 }),
  );
}
