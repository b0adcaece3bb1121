import { Broker, defineProgram, type LogRecord, type Module, type ModuleSettings, ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { bystander, shortLived, stillborn, victims } from "../fixtures/broker/storm.ts";
import { children, zombies } from "../fixtures/processes.ts";
import { isAlive, rejection } from "./broker_of.ts";

const PROGRAM = new URL("../fixtures/broker/storm.ts", import.meta.url);
const LONG = { timeoutMs: 60_000 };
const onLinux = { timeout: 110_000, skip: process.platform === "linux" ? false : "needs /proc" };

for (
  const [module, code, restarted] of [[stillborn, 4, "never ready"], [shortLived, 3, "ready for a moment"]] as const
) {
  test(`a module that ends at once under always, ${restarted}: pauses that grow to their cap, then FATAL and peace`, {
    timeout: 60_000,
  }, async () => {
    const restart = { policy: "always", delayMs: 20, maxDelayMs: 100, jitter: 0, maxRestarts: 6 } as const;
    const t = await start([module, bystander], { [module.name]: { restart } });
    try {
      await t.until(() => t.of("process.failed").length === 1);
      const delays = t.of("process.backoff").map(({ fields }) => "delayMs" in fields && fields.delayMs);
      assert.deepEqual(delays, [0, 20, 40, 80, 100, 100]);
      const head = `[ storm ] [ ${module.name} ] [ PROCESS ] [ PID:${process.pid} ] [ MainThread ] ${module.name}`;
      const exits = t.lines("process.exited").map((line) => line.replace(/pid \d+/, "pid N"));
      assert.deepEqual(
        exits,
        Array(7).fill(
          `WARNING : ${head} ended unexpectedly (pid N, exit code ${code}, signal none): process exited with code ${code}`,
        ),
      );
      assert.deepEqual(t.lines("process.failed"), [
        `FATAL : ${head} will not be started again: process exited with code ${code}, and it was restarted too often; ` +
        `what to do: mend the cause, then run "brokkr restart ${module.name}"`,
      ]);
      const error = await rejection(t.broker.call(module, "pid", [], LONG));
      assert.ok(error instanceof ProcessGoneError);
      assert.equal(error.exitCode, code);
      const { modules: [failed] } = await t.broker.status();
      assert.deepEqual([failed?.state, failed?.restarts, failed?.pid, failed?.calls.error], ["failed", 6, null, 1]);
      // Peace: no process comes any more, and the others serve.
      const seen = t.of("process.starting").length;
      assert.equal(typeof await t.broker.call(bystander, "pid", [], LONG), "number");
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(t.of("process.starting").length, seen);
      for (const { fields } of t.of("process.exited")) {
        if ("childPid" in fields && fields.childPid !== null) assert.equal(await isAlive(fields.childPid), false);
      }
    } finally {
      await t.broker.stop();
    }
  });
}

for (const [what, targets] of [["modules", victims], ["programs", programs(["red", "green", "blue"])]] as const) {
  test(
    `kill -9 of ${what} in a storm of calls: each call has its own answer or is gone, and nothing is left`,
    onLinux,
    async () => {
      const settings = { restart: { delayMs: 0, maxRestarts: 1_000 } };
      const t = await start([...targets, bystander], Object.fromEntries(targets.map(({ name }) => [name, settings])));
      const killed: number[] = [];
      try {
        const bystanderPid = await t.broker.call(bystander, "pid", [], LONG);
        const before = readdirSync("/proc/self/fd").length;
        const outcomes = { answered: 0, gone: 0 };
        let storms = true;
        const caller = async (name: string) => {
          while (storms) {
            const waited = Math.floor(Math.random() * 20);
            const answer = await t.broker.call(name, "wait", [waited], LONG).catch((error: unknown) => error);
            if (typeof answer === "number") outcomes.answered++;
            else {
              assert.ok(answer instanceof ProcessGoneError, String(answer));
              assert.deepEqual([answer.signal, answer.exitCode], ["SIGKILL", null]);
              outcomes.gone++;
            }
          }
        };
        const callers = targets.flatMap(({ name }) => [caller(name), caller(name), caller(name)]);
        for (let round = 0; round < 4; round++) {
          for (const { name } of targets) {
            const { modules } = await t.broker.status();
            const pid = modules.find((module) => module.name === name)?.pid;
            if (pid === null || pid === undefined) continue;
            process.kill(pid, "SIGKILL");
            killed.push(pid);
          }
          await t.until(() => t.of("process.exited").length === killed.length);
          for (const { name } of targets) assert.equal(typeof await t.broker.call(name, "pid", [], LONG), "number");
        }
        storms = false;
        await Promise.all(callers);
        assert.ok(outcomes.gone > 0 && outcomes.answered > 0, JSON.stringify(outcomes));
        const reasons = t.of("process.exited").map(({ fields }) => "reason" in fields && fields.reason);
        assert.deepEqual(reasons, Array(killed.length).fill("process was killed by SIGKILL"));
        const { modules } = await t.broker.status();
        const counts = modules.filter(({ name }) => name !== "bystander");
        const sum = (of: (module: typeof counts[number]) => number) =>
          counts.reduce((all, module) => all + of(module), 0);
        assert.equal(sum(({ calls }) => calls.error), outcomes.gone);
        assert.equal(sum(({ calls }) => calls.ok), outcomes.answered + 12);
        assert.equal(sum(({ restarts }) => restarts), killed.length);
        assert.equal(t.lines("call.error").length, outcomes.gone);
        assert.equal(await t.broker.call(bystander, "pid"), bystanderPid);
        assert.deepEqual(zombies(), []);
        for (const pid of killed) assert.equal(await isAlive(pid), false);
        const left = readdirSync("/proc/self/fd").length - before;
        assert.ok(left <= 2, `${left} descriptors are left`);
      } finally {
        await t.broker.stop();
      }
    },
  );
}

test(
  "200 modules: each answers for itself, none has a descriptor of another, and nothing is left of them",
  onLinux,
  async () => {
    const names = Array.from({ length: 200 }, (_, index) => `m${index}`);
    const modules = programs(names);
    const before = { open: opened("self"), children: children().length };
    const t = await start(modules, {});
    let pids: unknown[] = [];
    try {
      assert.match(
        t.lines("broker.ready")[0] ?? "",
        / The broker is ready after \d+\.\d{3}s \(modules: 200, failed: 0\)$/,
      );
      pids = await Promise.all(names.map((name) => t.broker.call(name, "pid", [], LONG)));
      const status = await t.broker.status();
      assert.deepEqual(pids, status.modules.map(({ pid }) => pid));
      assert.equal(new Set(pids).size, 200);
      assert.deepEqual(status.modules.map(({ calls }) => calls.ok), Array(200).fill(1));
      assert.ok(readdirSync("/proc/self/fd").length > 64);
      // Beyond its own three there may be some that whoever started the test left open.
      const ours = opened("self").filter((target) => !before.open.includes(target));
      const theirs = opened(String(pids.at(-1))).slice(3).filter((target) => ours.includes(target));
      assert.deepEqual(theirs, []);
    } finally {
      await t.broker.stop();
    }
    assert.equal(t.lines("process.stopped").length, 200);
    for (const pid of pids) assert.equal(typeof pid === "number" && await isAlive(pid), false);
    assert.equal(children().length, before.children);
    const left = opened("self").length - before.open.length;
    // What a runtime opens at its first process stays open.
    assert.ok(left <= 12, `${left} descriptors are left`);
  },
);

test("a wall clock that jumps by days neither ends a call, nor hastens a restart, nor changes a duration", {
  timeout: 60_000,
}, async () => {
  const [red = bystander] = victims;
  const day = 86_400_000;
  const real = Date.now;
  let offset = 0;
  Date.now = () => real.call(Date) + offset;
  const t = await start([red], {});
  try {
    const waiting = t.broker.call("red", "wait", [400], { timeoutMs: 30_000 });
    offset = 2 * day;
    await new Promise((resolve) => setTimeout(resolve, 100));
    offset = -5 * day;
    assert.equal(typeof await waiting, "number");
    await t.broker.restart("red");
    const { broker, modules: [status] } = await t.broker.status();
    const durations = [broker.uptimeMs, status?.uptimeMs ?? -1, status?.cleanup?.ms ?? -1, status?.latencyMs.p99 ?? -1];
    assert.ok(durations.every((ms) => ms >= 0 && ms < 60_000), durations.join());
    assert.deepEqual([status?.calls.ok, status?.calls.timeout, status?.calls.retried], [1, 0, 0]);
    assert.deepEqual(t.lines("call.retry"), []);
    assert.deepEqual(t.lines("process.blocked"), []);
  } finally {
    Date.now = real;
    await t.broker.stop();
  }
  assert.match(t.lines("broker.stopped")[0] ?? "", /The broker stopped in \d{1,2}\.\d{3}s$/);
});

/** Programs that answer whatever they are asked with their pid. */
function programs(names: readonly string[]): Module[] {
  const script = "while read -r line; do id=${line#*'\"id\":'}; id=${id%%,*}; " +
    `echo '{"jsonrpc":"2.0","id":'"$id"',"result":'$$'}'; done`;
  return names.map((name) => defineProgram({ name, command: ["/bin/sh", "-c", script] }));
}

interface Started {
  readonly broker: Broker;
  of(event: string): LogRecord[];
  /** Lines of an event, without their time stamps. */
  lines(event: string): string[];
  until(condition: () => boolean): Promise<void>;
}

async function start(modules: readonly Module[], settings: Record<string, ModuleSettings>): Promise<Started> {
  const records: LogRecord[] = [];
  const log = (record: LogRecord) => void records.push(record);
  const broker = await Broker.start({ name: "storm", modules, settings, program: PROGRAM, log });
  const of = (event: string) => records.filter((record) => record.event === event);
  return {
    broker,
    of,
    lines: (event) => of(event).flatMap((record) => record.lines()).map((line) => line.replace(/^\[[^\]]*\] /, "")),
    async until(condition) {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
    },
  };
}

/** What the descriptors of a process are, in their order. */
function opened(pid: string): string[] {
  return readdirSync(`/proc/${pid}/fd`).map(Number).toSorted((a, b) => a - b).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}
