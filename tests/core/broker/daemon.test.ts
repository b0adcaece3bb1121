// Programs with protocol "none": daemons and jobs, which nobody talks to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UnknownCommandError } from "../../../src/core/faults.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { defineProgram, type ProgramDefinition } from "../../../src/core/module/program.ts";
import type { RestartPolicy } from "../../../src/core/settings/settings.ts";
import { type MemoryDaemon, MemoryTree } from "./memory_tree.ts";

const HEAD = { name: "db", command: ["postgres", "-D", "data"], protocol: "none" } as const;

function tree(definition: Partial<ProgramDefinition> = {}): MemoryTree {
  const caller = defineModule({ name: "caller", commands: (ctx) => ({ query: () => ctx.call("db", "query", ["x"]) }) });
  return new MemoryTree([defineProgram({ ...HEAD, ...definition }), caller]);
}

async function up(definition: Partial<ProgramDefinition> = {}): Promise<MemoryTree> {
  const t = tree(definition);
  await t.ends(t.core.start());
  return t;
}

/** The newest process of the daemon. */
function daemon(t: MemoryTree): MemoryDaemon {
  const last = t.daemons.at(-1);
  assert.ok(last !== undefined);
  return last;
}

async function stateOf(t: MemoryTree): Promise<unknown[]> {
  const { modules: [db] } = await t.core.status();
  return [db?.state, db?.restarts];
}

/** What the lines of events say, without the prefix. */
function said(t: MemoryTree, ids: RegExp): string[] {
  return t.lines(ids).map((line) => line.slice(line.indexOf("MainThread ] ") + "MainThread ] ".length));
}

async function isUnknown(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof UnknownCommandError, String(error));
    assert.equal(error.message, 'Cannot call command "query" of module "db": unknown command');
    return true;
  });
}

test("a daemon is ready as soon as it runs, with its command, environment and folder", async () => {
  const t = await up({ env: { PGPORT: "5433" }, cwd: "/srv" });
  const { command, options } = daemon(t);
  assert.deepEqual([command, options.env["PGPORT"], options.cwd, options.group], [HEAD.command, "5433", "/srv", true]);
  assert.deepEqual(await stateOf(t), ["ready", 0]);
});

test("a call to a daemon is an unknown command at once, whatever its state and wherever the call comes from", async () => {
  const t = tree({ ready: { tcp: "127.0.0.1:5432" } });
  const started = t.core.start();
  await t.rest();
  assert.deepEqual(await stateOf(t), ["starting", 0]);
  await t.ends(isUnknown(t.core.call("db", "query", ["x"])));
  t.answering.add("127.0.0.1:5432");
  await t.rest(1_000);
  await t.ends(started);
  await t.ends(isUnknown(t.core.call("db", "query", ["x"])));
  const ofModule = await t.ends(t.core.call("caller", "query").catch((error: unknown) => error));
  assert.match(String(ofModule), /unknown command/);
  daemon(t).exits({ code: 0 });
  await t.rest(1_000);
  assert.deepEqual(await stateOf(t), ["stopped", 0]);
  await t.ends(isUnknown(t.core.call("db", "query", ["x"])));
  const line = "Failed to send command call [query] for module db because of error: unknown command";
  assert.equal(said(t, /^call\.error/).filter((text) => text === line).length, 4);
  const { modules: [db] } = await t.core.status();
  assert.deepEqual(db?.calls, { ...db?.calls, error: 4, timeout: 0 });
});

for (const kind of ["tcp", "http"] as const) {
  const at = kind === "tcp" ? "127.0.0.1:5432" : "http://127.0.0.1:8080/health";
  test(`a daemon with ready.${kind} is ready when that answers, and what comes after it starts then`, async () => {
    const web = defineModule({ name: "web", after: ["db"], commands: {} });
    const t = new MemoryTree([web, defineProgram({ ...HEAD, ready: { [kind]: at } })]);
    const started = t.core.start();
    await t.rest(5_000);
    assert.deepEqual(said(t, /^process\.(starting|ready)/), ["db is starting (generation 1)"]);
    t.answering.add(at);
    await t.rest(200);
    await t.ends(started);
    assert.deepEqual(said(t, /^process\.ready/).map((line) => line.split(" ")[0]), ["db", "web"]);
  });
}

for (
  const [what, ready, shown] of [
    ["", { tcp: "127.0.0.1:5432" }, "127.0.0.1:5432"],
    [", without the secrets of a URL", { http: "http://sla:s3cret@[::1]:80/up?token=s3cret" }, "http://[::1]:80/up"],
  ] as const
) {
  test(`a daemon that does not answer in startTimeoutMs gets SIGTERM, then SIGKILL, and the line says where${what}`, async () => {
    const t = tree({ ready, startTimeoutMs: 3_000, restart: "never" });
    await lateStart(t, shown);
    assert.doesNotMatch(said(t, /./).join("\n"), /s3cret/);
  });
}

async function lateStart(t: MemoryTree, shown: string): Promise<void> {
  const started = t.core.start();
  await t.rest(3_000);
  assert.deepEqual(daemon(t).signals, ["SIGTERM"]);
  await t.rest(2_000);
  assert.deepEqual(daemon(t).signals, ["SIGTERM", "SIGKILL"]);
  daemon(t).exits({ signal: "SIGKILL" });
  await t.rest(1_000);
  await t.ends(started);
  const why = `process did not reach an answer at ${shown} in 3s`;
  assert.deepEqual(said(t, /^process\.failed/), [
    `db will not be started again: ${why}; what to do: mend the cause, then run "brokkr restart db"`,
  ]);
  assert.ok(said(t, /^process\.killed/)[0]?.includes(why));
}

for (
  const [restart, code, state, starts] of [
    ["on-failure", 0, "stopped", 1],
    ["never", 0, "stopped", 1],
    ["never", 3, "failed", 1],
    ["on-failure", 3, "ready", 2],
    ["always", 0, "ready", 2],
  ] satisfies [RestartPolicy, number, string, number][]
) {
  test(`a job that ends with exit code ${code} under ${restart} is ${state} after ${starts} starts`, async () => {
    const t = await up({ restart });
    daemon(t).exits({ code });
    await t.rest(1_000);
    assert.deepEqual(await stateOf(t), [state, starts - 1]);
    assert.equal(t.daemons.length, starts);
    assert.equal(said(t, /^process\.failed/).length, state === "failed" ? 1 : 0);
    assert.deepEqual(said(t, /^process\.finished/), state === "stopped" ? ["db finished after 0.000s (pid 201)"] : []);
    assert.equal(said(t, /^process\.exited/).length, state === "stopped" ? 0 : 1);
  });
}

test("a job that ends before its parent looks was ready, and its end is no failure", async () => {
  const t = tree();
  const started = t.core.start();
  for (let turn = 0; turn < 100 && t.daemons.length === 0; turn++) await Promise.resolve();
  daemon(t).exits({ code: 0 });
  await t.rest(1_000);
  await t.ends(started);
  assert.deepEqual(await stateOf(t), ["stopped", 0]);
  const lines = said(t, /^process\.(ready|failed)/);
  assert.deepEqual(lines.map((line) => line.split(" ").slice(0, 3).join(" ")).toSorted(), [
    "caller is ready",
    "db is ready",
  ]);
});

test("one that is always to run and ends well over and over has failed", async () => {
  const t = await up({ restart: { policy: "always", maxRestarts: 2, delayMs: 0 } });
  for (let end = 0; end < 3; end++) {
    daemon(t).exits({ code: 0 });
    await t.rest(1_000);
  }
  assert.deepEqual(await stateOf(t), ["failed", 2]);
  assert.match(said(t, /^process\.failed/)[0] ?? "", /process exited with code 0, and it was restarted too often/);
});

test("a daemon is sent SIGTERM at once, and SIGKILL after killMs", async () => {
  const t = await up({ killMs: 4_000 });
  const stopped = t.core.stopModule("db");
  await t.rest();
  assert.deepEqual(daemon(t).signals, ["SIGTERM"]);
  await t.rest(3_999);
  assert.deepEqual(daemon(t).signals, ["SIGTERM"]);
  await t.rest(1);
  assert.deepEqual(daemon(t).signals, ["SIGTERM", "SIGKILL"]);
  daemon(t).exits({ signal: "SIGKILL" });
  await t.rest(1_000);
  await t.ends(stopped);
  assert.deepEqual(await stateOf(t), ["stopped", 0]);
});

/** A daemon whose shell ends by SIGTERM at once, and what it started does not. */
async function behindShell(): Promise<{ t: MemoryTree; stopped: Promise<void> }> {
  const t = await up({ killMs: 4_000 });
  daemon(t).hasLeft = true;
  const stopped = t.core.stopModule("db");
  await t.rest();
  daemon(t).exits({ signal: "SIGTERM" });
  await t.rest(3_000);
  assert.deepEqual([await stateOf(t), daemon(t).signals], [["draining", 0], ["SIGTERM"]]);
  return { t, stopped };
}

test("what runs behind a shell that ends by SIGTERM has the rest of killMs, and the daemon has stopped when it ends", async () => {
  const { t, stopped } = await behindShell();
  daemon(t).hasLeft = false;
  await t.rest(200);
  await t.ends(stopped);
  assert.deepEqual(said(t, /^process\.(killed|stopped)/), ["db stopped in 3.100s"]);
});

test("what runs behind a shell for longer than killMs is killed, and a line says so", async () => {
  const { t, stopped } = await behindShell();
  await t.rest(1_000);
  await t.ends(stopped);
  assert.deepEqual(daemon(t).signals, ["SIGTERM", "SIGKILL"]);
  assert.deepEqual(said(t, /^process\.(killed|stopped)/), [
    "db was sent SIGKILL (pid 201): what it started did not end in 4s after SIGTERM",
    "db stopped in 4.000s",
  ]);
});

for (const end of [{ signal: "SIGTERM" }, { code: 143 }]) {
  test(`what runs behind a shell that a signal from elsewhere has ended has killMs, then the daemon starts again: ${JSON.stringify(end)}`, async () => {
    const t = await up({ killMs: 4_000 });
    const first = daemon(t);
    first.hasLeft = true;
    first.exits(end);
    await t.rest(3_000);
    assert.deepEqual([t.daemons.length, first.signals], [1, []]);
    first.hasLeft = false;
    await t.rest(1_000);
    assert.deepEqual([await stateOf(t), t.daemons.length], [["ready", 1], 2]);
    assert.deepEqual(said(t, /^process\.killed/), []);
  });
}

test("a stop while what runs behind a shell drains ends with it", async () => {
  const t = await up({ killMs: 4_000 });
  daemon(t).hasLeft = true;
  daemon(t).exits({ signal: "SIGTERM" });
  await t.rest(1_000);
  const stopped = t.core.stop();
  await t.rest(1_000);
  daemon(t).hasLeft = false;
  await t.rest(200);
  await t.ends(stopped);
  assert.equal(daemon(t).signals.filter((signal) => signal === "SIGTERM").length, 1);
  assert.equal(t.runtime.clock.timers, 0);
  assert.deepEqual([t.daemons.length, said(t, /^process\.killed/)], [1, []]);
});

test("what a daemon leaves behind that ends by itself is killed at once", async () => {
  const t = await up();
  daemon(t).hasLeft = true;
  daemon(t).exits({ code: 0 });
  await t.rest();
  assert.deepEqual(daemon(t).signals, ["SIGKILL"]);
});

test("a reload stops a daemon before it starts the next: two of one never run beside each other", async () => {
  const t = await up();
  const first = daemon(t);
  const reloaded = t.core.reload("db");
  await t.rest(500);
  assert.deepEqual([t.daemons.length, first.signals], [1, ["SIGTERM"]]);
  first.exits({ code: 0 });
  await t.rest(500);
  assert.deepEqual(await t.ends(reloaded), []);
  assert.equal(t.daemons.length, 2);
  assert.deepEqual(await stateOf(t), ["ready", 1]);
});
