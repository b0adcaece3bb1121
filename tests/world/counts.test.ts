// The whole counts of what the suite repeats a few times only. Each runtime has a share of them, all three at the same time.
import assert from "node:assert/strict";
import { test } from "node:test";
import process from "node:process";
import { BUN, type CommandResult, run } from "../../scripts/command.ts";
import { projectOf } from "./installed.ts";

const CRASHES = 500;
const ROUNDS = 1_000;
const FLOOD_MS = 10_000;
const DEADLINE_MS = 5 * 60_000;
const OPTIONS = { timeout: DEADLINE_MS + 10_000, skip: process.platform === "linux" ? false : "needs /proc" };
const MIB = 1_048_576;

const RUNTIMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["deno", [Deno.execPath(), "run", "-A"]],
  ["node", ["node"]],
  ["bun", [BUN]],
]);

const folder = await projectOf("counts", {
  "main.mjs": `import { Broker, defineModule } from "brokkr";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

// A start that a busy machine holds up is no crash.
const startTimeoutMs = 60_000;
const ending = defineModule({
  name: "ending",
  startTimeoutMs,
  commands: {
    pid: () => process.pid,
    answer_and_end: (value) => {
      setTimeout(() => process.exit(9), 0);
      return value;
    },
    yes: () => spawn("yes", { stdio: ["ignore", "inherit", "ignore"] }).pid,
  },
});
const bystander = defineModule({ name: "bystander", startTimeoutMs, commands: { echo: (value) => value } });
const PATIENT = { timeoutMs: 60_000 };
const MODES = { crashes, rounds, flood };

const counts = {};
const lines = [];
const count = (event) => counts[event] ?? 0;
const log = (record) => {
  counts[record.event] = count(record.event) + 1;
  lines.push(...record.lines());
  lines.splice(0, lines.length - 20);
};
process.on("exit", (code) => code !== 0 && console.error(lines.join("\\n")));

const [mode, amount] = process.argv.slice(2);
// The processes that are started get no further than Broker.start.
await MODES[mode ?? "rounds"](Number(amount));

async function start(settings = {}) {
  return await Broker.start({ name: "counts", modules: [ending, bystander], settings: { ending: settings }, log });
}

async function crashes(amount) {
  const broker = await start({ restart: { delayMs: 0, maxRestarts: amount + 1 } });
  const bystanderPid = (await broker.status()).modules[1].pid;
  // What is opened at the first end stays open.
  let before = NaN;
  let answered = 0;
  for (let round = 0; round < amount; round++) {
    if (await broker.call(ending, "answer_and_end", [round], PATIENT) === round) answered++;
    // A call that had left already would end with the process.
    while (count("process.exited") <= round) await pause(1);
    if (round === 0) {
      await broker.call(ending, "pid", [], PATIENT);
      before = descriptors();
    }
  }
  await broker.call(ending, "pid", [], PATIENT);
  const { modules: [status, other] } = await broker.status();
  const seen = {
    answered,
    exited: count("process.exited"),
    restarts: status.restarts,
    errors: status.calls.error,
    bystander: other.pid === bystanderPid,
    zombies: children().filter(({ state }) => state === "Z").length,
    descriptors: await atMost(descriptors, before),
  };
  await broker.stop();
  print({ ...seen, children: await atMost(() => children().length, 0) });
}

async function rounds(amount) {
  let answered = 0;
  const round = async () => {
    const broker = await start();
    if (await broker.call(ending, "pid", [], PATIENT) > 0) answered++;
    await broker.stop();
  };
  // What is loaded once is not counted.
  for (let warmUp = 0; warmUp < 2; warmUp++) await round();
  const before = descriptors();
  const processes = children().length;
  answered = 0;
  for (let index = 0; index < amount; index++) await round();
  print({
    answered,
    descriptors: await atMost(descriptors, before),
    children: await atMost(() => children().length, processes),
  });
}

async function flood(ms) {
  const broker = await start({ output: { maxLinesPerSecond: 100 } });
  const yes = await broker.call(ending, "yes", [], PATIENT);
  const before = process.memoryUsage.rss();
  const until = performance.now() + ms;
  let [calls, own] = [0, 0];
  for (; performance.now() < until; calls++) {
    if (await broker.call(bystander, "echo", [calls], PATIENT) === calls) own++;
  }
  const grown = process.memoryUsage.rss() - before;
  process.kill(yes, "SIGKILL");
  const { modules: [status] } = await broker.status();
  await broker.stop();
  print({
    calls,
    own,
    grown,
    lines: count("process.output"),
    dropped: count("process.dropped"),
    restarts: status.restarts,
    children: await atMost(() => children().length, 0),
  });
}

function descriptors() {
  return readdirSync("/proc/self/fd").length;
}

function children() {
  return readdirSync("/proc").filter((pid) => Number(pid) > 0).map((pid) => {
    try {
      const stat = readFileSync(\`/proc/\${pid}/stat\`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return { state, parent: Number(parent) };
    } catch {
      return { state: "gone", parent: 0 };
    }
  }).filter(({ parent }) => parent === process.pid);
}

/** How many more there are than \`limit\`, once what ends at its own pace has had 2 s for it. */
async function atMost(now, limit) {
  for (let wait = 0; wait < 100 && now() > limit; wait++) await pause(20);
  return Math.max(0, now() - limit);
}

async function pause(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function print(seen) {
  console.log(JSON.stringify(seen));
}
`,
});

type Seen = Readonly<Record<string, number>>;

/** What the program in `mode` has seen in each runtime, whose share is what `amountOf` gives for its index. */
async function inEach(mode: string, amountOf: (index: number) => number): Promise<ReadonlyMap<string, [number, Seen]>> {
  const seen = new Map<string, [number, Seen]>();
  await Promise.all(Array.from(RUNTIMES, async ([name, runtime], index) => {
    const amount = amountOf(index);
    const command = [...runtime, "main.mjs", mode, String(amount)];
    const ended: CommandResult = await run(command, { cwd: folder, deadlineMs: DEADLINE_MS });
    assert.deepEqual([ended.timedOut, ended.code], [false, 0], `${name}: ${ended.output}`);
    seen.set(name, [amount, JSON.parse(ended.stdout)]);
  }));
  return seen;
}

/** Shares of `whole` that are its sum. */
function shareOf(whole: number): (index: number) => number {
  return (index) => Math.floor((whole + index) / RUNTIMES.size);
}

test(
  `${CRASHES} crashes: each answer before one arrives, and no zombie and no descriptor is left`,
  OPTIONS,
  async () => {
    for (const [name, [crashes, seen]] of await inEach("crashes", shareOf(CRASHES))) {
      assert.deepEqual(seen, {
        answered: crashes,
        exited: crashes,
        restarts: crashes,
        errors: 0,
        bystander: true,
        zombies: 0,
        descriptors: 0,
        children: 0,
      }, name);
    }
  },
);

test(`${ROUNDS} rounds of start, call and stop leave no descriptor and no process`, OPTIONS, async () => {
  for (const [name, [rounds, seen]] of await inEach("rounds", shareOf(ROUNDS))) {
    assert.deepEqual(seen, { answered: rounds, descriptors: 0, children: 0 }, name);
  }
});

test(
  `${FLOOD_MS / 1_000} s of output without end: bounded memory and lines, and the calls of others go on`,
  OPTIONS,
  async () => {
    for (
      const [name, [, { calls = 0, own, grown = NaN, lines = NaN, dropped = NaN, ...seen }]] of await inEach(
        "flood",
        () => FLOOD_MS,
      )
    ) {
      assert.deepEqual({ own, ...seen }, { own: calls, restarts: 0, children: 0 }, name);
      assert.ok(calls > 100, `${name}: ${calls} calls`);
      assert.ok(grown < 200 * MIB, `${name}: memory grew by ${grown / MIB} MiB`);
      assert.ok(dropped >= 2, `${name}: ${dropped} lines about what was left out`);
      assert.ok(lines <= 100 * (dropped + 2), `${name}: ${lines} lines were logged`);
    }
  },
);
