import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { kill, umask } from "node:process";
import { test } from "node:test";
import { block, fixture, gone, receive, runtime, start, succeeded, sweep, within, withStarted } from "./started.ts";

test("spawnProgram() gives the process the environment it was told, and no more", () =>
  withStarted({ mode: "report", env: { ONLY: "this", EMPTY: "" } }, async (process, channel) => {
    const received = receive(channel);
    await received.end;
    const { env } = JSON.parse(received.text());
    assert.equal(env.ONLY, "this");
    assert.equal(env.EMPTY, "");
    const own = new Set([...Object.keys(runtime.env.all()), "ONLY", "EMPTY", "CHANNEL", "MODE"]);
    assert.deepEqual(Object.keys(env).filter((name) => !own.has(name) && !/^(NODE|DENO|_)/.test(name)), []);
    assert.deepEqual(await process.exited, succeeded);
  }));

test("spawnProgram() leaves out a variable that its parent process has", async () => {
  const process = await runtime.spawnProgram({
    group: true,
    program: fixture,
    env: (address) => ({ PATH: runtime.env.get("PATH") ?? "", CHANNEL: address, MODE: "report" }),
  });
  try {
    const received = receive(await within(process.channel));
    await within(received.end);
    const { env } = JSON.parse(received.text());
    assert.ok(runtime.env.get("HOME") !== undefined);
    assert.equal(env.HOME, undefined);
  } finally {
    process.kill("SIGKILL", { group: true });
    await process.exited;
  }
});

test("spawnProgram() makes no channel that another user could open, whatever the mask is", async () => {
  const mask = umask(0);
  try {
    let mode: number | undefined;
    const process = await runtime.spawnProgram({
      group: true,
      program: fixture,
      env: (address) => {
        // Others have it in no folder.
        mode = address.startsWith("unix:") ? statSync(dirname(address.slice("unix:".length))).mode & 0o777 : 0o700;
        return { ...runtime.env.all(), CHANNEL: address, MODE: "report" };
      },
    });
    await within(receive(await within(process.channel)).end);
    await process.exited;
    assert.equal(mode, 0o700);
  } finally {
    umask(mask);
  }
});

test("spawnProgram() starts in the working directory it was told", async () => {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), "brokkr test ")));
  try {
    await withStarted({ mode: "report", cwd }, async (_process, channel) => {
      const received = receive(channel);
      await received.end;
      assert.equal(JSON.parse(received.text()).cwd, cwd);
    });
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test("spawnProgram() gives the process no channel of the runtime's own, which every start would pay for", () =>
  withStarted({ mode: "report" }, async (_process, channel) => {
    const received = receive(channel);
    await received.end;
    assert.equal(JSON.parse(received.text()).canSend, false);
  }));

test("collectGarbage() works in a process that spawnProgram() made", () =>
  withStarted({ mode: "report" }, async (_process, channel) => {
    const received = receive(channel);
    await received.end;
    const { collected, heapBytes, program } = JSON.parse(received.text());
    assert.equal(collected, true);
    assert.ok(heapBytes > 0);
    assert.match(program, /fixtures\/runtime\/program\.[tj]s$/);
  }));

test("collectGarbage() works in a process that was not started for it, as a binary of Deno is", () =>
  withStarted({ mode: "report", collects: false }, async (_process, channel) => {
    const received = receive(channel);
    await received.end;
    assert.equal(JSON.parse(received.text()).collected, true);
  }));

test("SpawnedProcess.exited tells the exit code", () =>
  withStarted({ mode: "end" }, async (process, channel) => {
    channel.write(new Uint8Array(1));
    assert.deepEqual(await process.exited, { code: 3, signal: null });
  }));

test("SpawnedProcess.exited tells the signal that ended the process", () =>
  withStarted({ mode: "end", env: { SIGNAL: "SIGKILL" } }, async (process, channel) => {
    channel.write(new Uint8Array(1));
    assert.deepEqual(await process.exited, { code: null, signal: "SIGKILL" });
  }));

test("SpawnedProcess.kill() says whether there was a process to signal", () =>
  withStarted({ mode: "echo" }, async (process) => {
    assert.equal(process.kill("SIGCONT"), true);
    assert.equal(process.kill("SIGCONT", { group: true }), true);
    assert.equal(process.kill("SIGTERM"), true);
    assert.deepEqual(await process.exited, { code: null, signal: "SIGTERM" });
    assert.equal(process.kill("SIGTERM"), false);
    assert.equal(process.kill("SIGKILL", { group: true }), false);
  }));

test("SpawnedProcess.kill() with `group` reaches what the process started", () =>
  withStarted({ mode: "grandchild" }, async (process, channel) => {
    const received = receive(channel);
    await received.until(() => received.text().endsWith("\n"));
    assert.equal(process.kill("SIGKILL", { group: true }), true);
    await process.exited;
    await gone(Number(received.text()));
  }));

test("SpawnedProcess.kill() without `group` leaves what the process started", () =>
  withStarted({ mode: "grandchild" }, async (process, channel) => {
    const received = receive(channel);
    await received.until(() => received.text().endsWith("\n"));
    const grandchild = Number(received.text());
    try {
      assert.equal(process.kill("SIGKILL"), true);
      assert.deepEqual(await process.exited, { code: null, signal: "SIGKILL" });
      assert.ok(kill(grandchild, 0));
    } finally {
      sweep(grandchild);
    }
  }));

test("spawnProgram() delivers all that a process printed before `exited` settles", async () => {
  for (const [size, blockMs] of [[1_000_000, 0], [60_000, 300]] as const) {
    const printed = { stdout: 0, stderr: 0 };
    await withStarted({
      mode: "print",
      env: { SIZE: String(size) },
      output: (stream, chunk) => printed[stream] += chunk.length,
    }, async (process) => {
      block(blockMs);
      assert.deepEqual(await process.exited, succeeded);
      assert.deepEqual(printed, { stdout: size, stderr: size });
    });
  }
});

test("spawnProgram() without `output` lets a process print into nothing", () =>
  withStarted({ mode: "print", env: { SIZE: "1000000" } }, async (process) => {
    assert.deepEqual(await process.exited, succeeded);
  }));

test("ProgramProcess.channel is refused or ends where the process never opens it", async () => {
  const process = await start({ mode: "silent" });
  const outcome = await within(process.channel.then((channel) => receive(channel).end, (error: Error) => error));
  if (runtime.name === "deno") {
    assert.ok(outcome instanceof Error);
    assert.match(
      outcome.message,
      /^Cannot open the channel to process \d+: it exited with code 7 before it connected$/,
    );
  }
  assert.deepEqual(await process.exited, { code: 7, signal: null });
});

test("spawnProgram() names a working directory that does not exist", () =>
  assert.rejects(start({ mode: "echo", cwd: "/no/such/folder" }), {
    message:
      /^Cannot start program ".*": working directory "\/no\/such\/folder" does not exist, create it or correct "cwd"$/,
  }));

test("spawnProgram() of a program that does not exist ends with what the runtime prints", async () => {
  let printed = "";
  const process = await start({
    mode: "echo",
    program: "no/such/program.js",
    output: (_stream, chunk) => printed += new TextDecoder().decode(chunk),
  });
  assert.notEqual((await within(process.exited)).code, 0);
  assert.match(printed, /no\/such\/program\.js/);
  await process.channel.then((channel) => channel.close(), () => {});
});
