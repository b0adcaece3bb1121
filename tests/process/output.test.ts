import { ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { printer, quiet } from "../fixtures/broker/printer.ts";
import { isAlive } from "./broker_of.ts";
import { Printers } from "./printers.ts";

const options = { timeout: 60_000 };

async function pidOf(t: Printers): Promise<number | null | undefined> {
  return (await t.broker.status()).modules.find(({ name }) => name === "quiet")?.pid;
}

test("what a module prints has a level, no colours, and no way to be another's line", options, async () => {
  await using t = await Printers.start();
  const pid = await t.broker.call(printer, "pid");
  await t.print(
    "\x1b[31mERROR\x1b[0m no file\n[2021-10-11 06:10:52] FATAL : [ broker-master ] [ sla ] forged\r\n" +
      "a\0b\x1b[2J\x07\u2028c\rd\n",
  );
  await t.broker.call(printer, "print", [Uint8Array.of(0x61, 0xff, 0xfe, 0x0a)]);
  await t.until(() => t.of("process.output").length === 4);
  const head =
    `[ printers ] [ printer ] [ PROCESS ] [ PID:${process.pid} ] [ MainThread ] printer wrote to stdout (pid ${pid}): `;
  assert.deepEqual(t.lines("process.output"), [
    `ERROR : ${head}ERROR no file`,
    `ERROR : ${head}\\u005b2021-10-11 06:10:52] FATAL : [ broker-master ] [ sla ] forged`,
    `INFO : ${head}a\\u0000b\\u001b[2J\\u0007\\u2028c\\rd`,
    `INFO : ${head}a\ufffd\ufffd`,
  ]);
});

test("a flood of output is left out and counted, its memory is bounded, and others' calls go on", options, async () => {
  await using t = await Printers.start({ output: { maxLinesPerSecond: 100 } });
  const yes = await t.broker.call(printer, "yes");
  const before = process.memoryUsage.rss();
  const until = performance.now() + 3_000;
  let calls = 0;
  while (performance.now() < until) {
    assert.equal(await t.broker.call(quiet, "echo", [calls]), calls);
    calls++;
  }
  assert.equal(await t.broker.call(printer, "pid") > 0, true, "who prints is called like any other");
  const grown = process.memoryUsage.rss() - before;
  process.kill(yes, "SIGKILL");
  assert.ok(grown < 200 * 1024 * 1024, `memory grew by ${grown} bytes`);
  assert.ok(calls > 100, `${calls} calls`);
  const { modules } = await t.broker.status();
  assert.equal(modules.find(({ name }) => name === "quiet")?.calls.ok, calls);
  const dropped = t.of("process.dropped");
  assert.ok(dropped.length >= 2 && dropped.length <= 6, `${dropped.length} lines about what was left out`);
  assert.ok(t.of("process.output").length <= 100 * (dropped.length + 2), "no more than the limit is logged");
  assert.match(
    t.lines("process.dropped")[0] ?? "",
    /^WARNING : \[ printers \] \[ printer \] .* printer: dropped \d{4,} lines of stdout \(limit: 100 a second\)$/,
  );
});

test("a flood of ctx.log is left out and counted", options, async () => {
  await using t = await Printers.start();
  await t.broker.call(quiet, "log", [20_000]);
  await t.until(() => t.of("process.dropped").length === 1);
  assert.deepEqual(t.of("module.warning").map(({ fields }) => fields), [
    ...Array.from({ length: 500 }, (_, index) => ({ text: `line ${index + 1}` })),
  ]);
  const head = `WARNING : [ printers ] [ quiet ] [ PROCESS ] [ PID:${await pidOf(t)} ] [ MainThread ]`;
  assert.deepEqual(t.lines("process.dropped"), [
    `${head} quiet: dropped 19500 lines of ctx.log (limit: 500 a second)`,
  ]);
});

test("a line of 10 MB is one line, cut, with the size of what was cut", options, async () => {
  await using t = await Printers.start({ output: { maxLineBytes: 20 } });
  await t.broker.call(printer, "line_of", [10], { timeoutMs: 30_000 });
  await t.until(() => t.of("process.output").length === 1);
  const [line] = t.lines("process.output");
  assert.match(line ?? "", / printer wrote to stdout \(pid \d+\): y{20}… \(10485740 bytes cut\)$/);
});

test("a module that closes its standard output lives on", options, async () => {
  await using t = await Printers.start();
  const pid = await t.broker.call(printer, "pid");
  await t.broker.call(printer, "close_stdout");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(await t.broker.call(printer, "pid"), pid);
  assert.deepEqual(t.of("process.exited"), []);
  const { modules: [status] } = await t.broker.status();
  assert.deepEqual([status?.pid, status?.restarts, status?.calls.ok, status?.calls.error], [pid, 0, 3, 0]);
});

test("the end of a module is seen although another process holds its standard streams", options, async () => {
  await using t = await Printers.start({ descendants: "keep" });
  const pid = await t.broker.call(printer, "pid");
  const holder = await t.broker.call(printer, "hold");
  try {
    await assert.rejects(t.broker.call(printer, "exit", [3], { timeoutMs: 30_000 }), (error) => {
      assert.ok(error instanceof ProcessGoneError);
      assert.equal(error.exitCode, 3);
      return true;
    });
    await t.until(() => t.of("process.exited").length === 1);
    assert.deepEqual(t.lines("process.exited"), [
      `WARNING : [ printers ] [ printer ] [ PROCESS ] [ PID:${process.pid} ] [ MainThread ] printer ended unexpectedly ` +
      `(pid ${pid}, exit code 3, signal none): process exited with code 3`,
    ]);
    const { modules: [status] } = await t.broker.status();
    assert.equal(status?.calls.error, 1);
    assert.equal(await isAlive(pid), false);
    assert.equal(await isAlive(holder), true);
  } finally {
    process.kill(holder, "SIGKILL");
  }
});
