import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { StandardError } from "../../src/runtime/posix/standard_error.ts";
import { fixture, start, succeeded, within } from "./started.ts";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";

/** A reader that takes what the test lets it, and the time that passes. */
class Reader {
  room = Infinity;
  /** What a write throws. */
  failure: Error | null = null;
  text = "";
  writes = 0;
  pausedMs = 0;
  told: [lines: number, reason: string][] = [];
  /** How often something waited for the first time. */
  waited = 0;
  #timers: { at: number; fn: () => void }[] = [];
  #now = 0;
  readonly error: StandardError;

  constructor() {
    this.error = new StandardError({
      write: (bytes) => this.#write(bytes),
      later: (ms, fn) => void this.#timers.push({ at: this.#now + ms, fn }),
      pause: (ms) => {
        this.pausedMs += ms;
        this.onPause();
      },
      waiting: () => this.waited++,
    });
    this.error.onLost = (lines, reason) => this.told.push([lines, reason]);
  }

  onPause = (): void => {};

  get timers(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    for (const end = this.#now + ms; this.#now < end;) {
      this.#now++;
      const due = this.#timers.filter(({ at }) => at <= this.#now);
      this.#timers = this.#timers.filter(({ at }) => at > this.#now);
      for (const { fn } of due) fn();
    }
  }

  #write(bytes: Uint8Array): number {
    this.writes++;
    if (this.failure !== null) throw this.failure;
    const taken = Math.min(bytes.length, this.room);
    if (taken === 0) throw Object.assign(new Error("full"), { code: "EAGAIN" });
    this.room -= taken;
    this.text += new TextDecoder("latin1").decode(bytes.subarray(0, taken));
    return taken;
  }
}

test("standard error goes on after partial writes and a full pipe, in order and without a pause", () => {
  const r = new Reader();
  r.room = 4;
  r.error.write("one\n");
  r.error.write("two\n");
  r.error.write("three\n");
  assert.deepEqual([r.text, r.waited, r.timers], ["one\n", 1, 1]);
  r.room = 2;
  r.advance(1);
  assert.equal(r.text, "one\ntw");
  r.room = Infinity;
  r.advance(1);
  assert.deepEqual([r.text, r.told, r.timers, r.pausedMs], ["one\ntwo\nthree\n", [], 0, 0]);
});

test("a reader that stalls is given up once after a second, and no line waits for it: they are counted, and told when it is back", () => {
  const r = new Reader();
  r.room = 2;
  r.error.write("one\ntwo\n");
  r.advance(999);
  r.error.write("three\n");
  r.advance(2);
  for (let line = 0; line < 100; line++) r.error.write("lost\n");
  assert.deepEqual([r.text, r.pausedMs, r.told], ["on", 0, []]);
  r.advance(60_000);
  assert.ok(r.writes < 1_400, `${r.writes} writes`);
  r.room = Infinity;
  r.error.write("four\n");
  // The line that was half out is whole.
  const reason = "its reader took nothing for 1s";
  const notice = `brokkr: 102 lines are lost, standard error could not be written: ${reason}\n`;
  assert.equal(r.text, `one\n${notice}four\n`);
  assert.deepEqual(r.told, [[102, reason]]);
});

test("a reader that is back is told what it missed, also when nothing more is written", () => {
  const r = new Reader();
  r.room = 0;
  r.error.write("one\n");
  r.advance(2_000);
  r.room = Infinity;
  r.advance(1_000);
  assert.match(r.text, /^brokkr: 1 lines are lost/);
  assert.deepEqual([r.told.length, r.timers], [1, 0]);
  r.error.write("two\n");
  assert.match(r.text, /\ntwo\n$/);
});

test("a process that was stopped does not give its reader up for the time that it stood still", () => {
  const r = new Reader();
  r.room = 0;
  r.error.write("one\n");
  // One timer, however late.
  r.advance(1);
  r.room = Infinity;
  r.advance(1);
  assert.deepEqual([r.text, r.told], ["one\n", []]);
});

test("a flood waits for a reader that reads on, and no longer than 0.1 s for one that does not", () => {
  const fast = new Reader();
  fast.room = 0;
  fast.onPause = () => fast.room = 64 * 1024;
  const line = `${"x".repeat(1023)}\n`;
  for (let count = 0; count < 5_000; count++) fast.error.write(line);
  fast.room = Infinity;
  fast.advance(1);
  assert.deepEqual([fast.text.length, fast.told], [5_000 * 1024, []]);

  const slow = new Reader();
  slow.room = 0;
  for (let count = 0; count < 5_000; count++) slow.error.write(line);
  assert.equal(slow.pausedMs, 100);
  slow.room = Infinity;
  slow.advance(1);
  assert.deepEqual(slow.told, [[5_000 - 1_024, "its reader is too slow"]]);
  assert.match(
    slow.text,
    /x\nbrokkr: 3976 lines are lost, standard error could not be written: its reader is too slow\n$/,
  );
});

test("lines that can't be written are lost in no silence: the next one that can be is told of them", () => {
  const r = new Reader();
  r.failure = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  r.error.write("one\ntwo\n");
  r.error.write("three\n");
  assert.equal(r.timers, 0);
  r.failure = null;
  r.error.write("four\n");
  assert.equal(r.text, "brokkr: 3 lines are lost, standard error could not be written: ENOSPC\nfour\n");
});

test("the end of a process waits a second for a reader that stalls, and not at all for one that was given up", () => {
  const r = new Reader();
  r.room = 0;
  r.error.write("one\n");
  r.error.finish();
  assert.deepEqual([r.pausedMs, r.text], [1_000, ""]);
  r.error.write("two\n");
  r.error.finish();
  assert.equal(r.pausedMs, 1_000);

  const back = new Reader();
  back.room = 0;
  back.onPause = () => back.room = Infinity;
  back.error.write("one\n");
  back.error.finish();
  assert.deepEqual([back.text, back.pausedMs], ["one\n", 1]);
});

test("writeError() writes more than a pipe holds before the process ends", async () => {
  let bytes = 0;
  const process = await start({
    mode: "write-error",
    env: { SIZE: "1000000" },
    output: (stream, chunk) => {
      assert.equal(stream, "stderr");
      bytes += chunk.length;
    },
  });
  process.channel.catch(() => {});
  assert.deepEqual(await within(process.exited), succeeded);
  assert.equal(bytes, 1_000_000);
});

const LINES = 20_000;

/** A process that writes more lines than can wait for a reader that reads nothing, and what `read` gets of them afterwards. */
async function flooded(stderr: "pipe" | number, read: (child: ChildProcess) => AsyncIterable<string>): Promise<void> {
  const child = spawn(process.execPath, [...RUN_FLAGS, fileURLToPath(fixture)], {
    stdio: ["ignore", "pipe", stderr],
    env: { ...process.env, MODE: "flood-error", SIZE: `${LINES}` },
  });
  try {
    assert.ok(child.stdout !== null);
    const said = createInterface(child.stdout)[Symbol.asyncIterator]();
    // It is not blocked.
    assert.equal((await within(said.next())).value, "written");
    let text = "";
    for await (const chunk of read(child)) {
      text += chunk;
      if (/brokkr: \d+ lines are lost, .*\n$/.test(text)) break;
    }
    const [notice = "", lost = ""] = /brokkr: (\d+) lines are lost, (.*)\n$/.exec(text) ?? [];
    const whole = text.slice(0, -notice.length).split("\n").slice(0, -1);
    assert.equal(whole.length + Number(lost), LINES);
    assert.ok(Number(lost) > 0 && whole.every((line) => line.length === 99));
    assert.equal((await within(said.next())).value, `lost ${lost}`);
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await within(once(child, "exit"));
  }
}

test("writeError() to a reader that stalls blocks nobody, and says how much is lost when it is back", async () => {
  await flooded("pipe", (child) => {
    assert.ok(child.stderr !== null);
    return child.stderr.setEncoding("utf8");
  });
});

test("writeError() into a pipe of others that stalls blocks nobody, and leaves its mode alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-stderr-"));
  const path = join(folder, "fifo");
  try {
    execFileSync("mkfifo", [path]);
    const ours = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const theirs = openSync(path, constants.O_WRONLY);
    try {
      await flooded(theirs, async function* () {
        const chunk = new Uint8Array(65536);
        for (let deadline = 500; deadline > 0; deadline--) {
          let length = 0;
          try {
            length = readSync(ours, chunk);
          } catch {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          if (length > 0) yield new TextDecoder().decode(chunk.subarray(0, length));
        }
      });
    } finally {
      closeSync(ours);
      closeSync(theirs);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("writeError() into a pipe does not change where a link leads that is imported afterwards", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "brokkr-stderr-")));
  try {
    mkdirSync(join(folder, "links"));
    for (const file of ["first.mjs", "second.mjs"]) {
      writeFileSync(join(folder, file), "export const at = import.meta.url;\n");
      symlinkSync(join(folder, file), join(folder, "links", file));
    }
    const { status, stderr } = spawnSync(process.execPath, [...RUN_FLAGS, fileURLToPath(fixture)], {
      env: { ...process.env, MODE: "error-then-link", LINKS: join(folder, "links"), SIZE: "10000" },
      encoding: "utf8",
    });
    const folders = stderr.trim().split(/\s+/).map((at) => dirname(fileURLToPath(at)));
    // Deno does not follow it.
    const [before] = folders;
    assert.deepEqual([status, folders], [0, [before, before]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
