// From kill -9 of a module's process to the first answer of the next one, with STANDBY processes that are kept ready, over and over.
import process from "node:process";

const { Broker, defineModule } = await import("Deno" in globalThis ? "../../mod.ts" : "../../npm/mod.js");

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Each process of the program holds what the other module owns.
const cache = new Map(Array.from({ length: 1_000 }, (_, n) => [n, { n }]));
const restart = { delayMs: 0, maxRestarts: 1_000 };
const echo = defineModule({ name: "echo", commands: { echo: (value) => value }, restart });
const other = defineModule({ name: "other", commands: {}, owns: [cache] });
const modules = process.env.BENCH_CLEANS === "1" ? [other, echo] : [echo];
const standby = Number(process.env.BENCH_STANDBY);
const broker = await Broker.start({ name: "bench", modules, standby, logLevel: "error", log() {} });

async function pidOf() {
  return (await broker.status()).modules.find(({ name }) => name === "echo").pid;
}

const times = [];
for (let round = 0; round < Number(process.env.BENCH_ROUNDS); round++) {
  while ((await broker.status()).standby.length < standby) await pause(10);
  await pause(200);
  const pid = await pidOf();
  const start = performance.now();
  process.kill(pid, "SIGKILL");
  // Until the end is seen, a call goes to the process that was killed.
  for (let answered = false; !answered;) {
    answered = await broker.call("echo", "echo", [{ id: 1 }], { timeoutMs: 10_000 }).then(() => true, () => pause(0));
  }
  times.push(performance.now() - start);
}
console.log(JSON.stringify({ times }));
await broker.stop();
process.exit(0);
