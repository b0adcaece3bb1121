// A broker of many modules with workers, half of them in an endless loop: prints the pids of all, then waits to be killed.
import process from "node:process";

const { Broker, defineModule } = await import("Deno" in globalThis ? "../../mod.ts" : "../../npm/mod.js");

const [, , modulesText = "20", workersText = "2"] = process.argv;
const workers = Number(workersText);

function spin() {
  for (;;);
}

const modules = Array.from({ length: Number(modulesText) }, (_, index) =>
  defineModule({
    name: `module-${index}`,
    workers: { count: workers, commands: { spin } },
    commands: (ctx) => ({
      spin,
      spin_workers: () => {
        for (let worker = 0; worker < workers; worker++) {
          ctx.workers.call("spin", [], { timeoutMs: 600_000 }).catch(() => {});
        }
      },
    }),
    startTimeoutMs: 120_000,
  }));

const broker = await Broker.start({ name: "bench-orphans", modules, logLevel: "error" });
const status = await broker.status();
const pids = status.modules.flatMap((module) => [module.pid, ...module.workers.map((worker) => worker.pid)]);
for (const [index, module] of modules.entries()) {
  if (index % 2 === 1) continue;
  await broker.call(module, "spin_workers", [], { timeoutMs: 60_000 });
}
for (const [index, module] of modules.entries()) {
  if (index % 2 === 0) broker.call(module, "spin", [], { timeoutMs: 600_000 }).catch(() => {});
}
// The calls have left by then.
await new Promise((resolve) => setTimeout(resolve, 500));
console.log(JSON.stringify(pids));
setInterval(() => {}, 60_000);
