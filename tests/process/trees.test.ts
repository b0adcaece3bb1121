import { Broker } from "brokkr";
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Guard } from "../../src/core/child/guard.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { children } from "../fixtures/processes.ts";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";
import { sow, trees } from "../fixtures/broker/trees.ts";
import { isAlive } from "./broker_of.ts";

const PROGRAM = new URL("../fixtures/broker/trees_program.ts", import.meta.url);
const MAIN = fileURLToPath(new URL("../fixtures/broker/trees_main.ts", import.meta.url));
const NEEDS_PROC = process.platform === "linux" ? false : "finding processes needs /proc";
const options = { timeout: 60_000, skip: NEEDS_PROC };

for (const how of ["stop", "exit", "SIGKILL"]) {
  test(`what a module started goes with it, from a session of its own too, at its ${how}`, options, async () => {
    const broker = await Broker.start({ name: "trees-broker", modules: [trees], program: PROGRAM, log: () => {} });
    try {
      const pids = await sow(broker);
      for (const pid of pids) assert.equal(await isAlive(pid), true);
      if (how === "stop") await broker.stop();
      else if (how === "exit") await assert.rejects(broker.call(trees, "exit"), /exited with code 3/);
      else process.kill(pids[0] ?? 0, "SIGKILL");
      await allGone(pids);
    } finally {
      await broker.stop();
    }
  });
}

test("a guard that stands still holds up the broker's stop for a while only, and is not left", options, async () => {
  const broker = await Broker.start({ name: "trees-broker", modules: [trees], program: PROGRAM, log: () => {} });
  const guard = guardOf(process.pid);
  try {
    process.kill(guard, "SIGSTOP");
  } finally {
    await broker.stop();
  }
  await allGone([guard]);
});

test('descendants "keep": what a module started outlives it, its workers do not', options, async () => {
  const broker = await Broker.start({
    name: "trees-broker",
    modules: [trees],
    settings: { trees: { descendants: "keep" } },
    program: PROGRAM,
    log: () => {},
  });
  const [module = 0, worker = 0, ...started] = await sow(broker);
  try {
    broker.call(trees, "spin_worker").catch(() => {});
    process.kill(module, "SIGKILL");
    await allGone([module, worker]);
    await broker.stop();
    for (const pid of started) assert.equal(await isAlive(pid), true);
  } finally {
    await broker.stop();
    for (const pid of started) process.kill(pid, "SIGKILL");
  }
});

test(
  "a stopped broker kills nobody, and a killed one leaves nobody, whatever session they are in",
  options,
  async () => {
    const home = new Home();
    try {
      const { child, pids } = await home.broker();
      process.kill(child.pid ?? 0, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const pid of pids) assert.equal(await isAlive(pid), true);
      process.kill(child.pid ?? 0, "SIGKILL");
      await allGone(pids);
      await until(() => home.files().length === 0);
    } finally {
      await home.remove();
    }
  },
);

test(
  "what a broker and its guard leave behind is killed at the next start, with a line for each",
  options,
  async () => {
    const home = new Home();
    try {
      const { child, pids } = await home.broker();
      const [module = 0, worker = 0, near = 0, far = 0] = pids;
      process.kill(child.pid ?? 0, "SIGSTOP");
      process.kill(guardOf(child.pid ?? 0), "SIGKILL");
      process.kill(child.pid ?? 0, "SIGKILL");
      await once(child, "exit");
      for (const pid of pids) assert.equal(await isAlive(pid), true, "nobody is left to end it");
      const next = await home.broker();
      await allGone(pids);
      const texts = next.lines.map((line) => line.slice(line.indexOf("MainThread ] ") + 13));
      const ages = /age \d+\.\d{3}s\)$/;
      for (const text of texts) assert.match(text, ages);
      assert.deepEqual(
        texts.map((text) => text.replace(ages, "age …)")).toSorted(),
        [module, worker, near, far].map((pid) =>
          `A process of trees that an earlier broker left behind was killed (pid ${pid}, age …)`
        ).toSorted(),
      );
      assert.equal(home.files().length, 1, "the dead broker's file is gone");
      process.kill(next.child.pid ?? 0, "SIGKILL");
      await allGone(next.pids);
    } finally {
      await home.remove();
    }
  },
);

test(
  "a process that leads no group yet is killed by the guard too, and what else is in its group is not",
  options,
  async () => {
    const guard = new Guard({
      runtime: await detectRuntime(),
      broker: "led",
      sweep: false,
      unguarded: () => {},
      orphan: () => {},
    });
    await guard.start();
    const [young, other] = [spawn("sleep", ["600"]), spawn("sleep", ["600"])];
    try {
      guard.add(young.pid ?? 0, "trees");
      await guard.close();
      await allGone([young.pid ?? 0]);
      assert.equal(await isAlive(other.pid ?? 0), true);
    } finally {
      young.kill("SIGKILL");
      other.kill("SIGKILL");
    }
  },
);

test("a file of pids that other processes have by now kills none of them", options, async () => {
  const home = new Home();
  const stranger = spawn("sleep", ["600"], { detached: true });
  try {
    const pid = stranger.pid ?? 0;
    mkdirSync(join(home.folder, "brokkr"), { mode: 0o700 });
    writeFileSync(
      join(home.folder, "brokkr", `${home.name}~dead-id~${pid}~1.tree`),
      `${pid}:1\n${pid}:1:group:dead-id/trees/1\n`,
    );
    const { child, pids, lines } = await home.broker();
    assert.deepEqual(lines, []);
    assert.equal(await isAlive(pid), true);
    process.kill(child.pid ?? 0, "SIGKILL");
    await allGone(pids);
    assert.equal(await isAlive(pid), true);
  } finally {
    stranger.kill("SIGKILL");
    await home.remove();
  }
});

test(
  "a process of a dead broker whose mark can't be seen is killed at the next start with its line, too",
  options,
  async () => {
    const home = new Home();
    const unmarked = spawn("sleep", ["600"], { detached: true });
    try {
      const pid = unmarked.pid ?? 0;
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
      mkdirSync(join(home.folder, "brokkr"), { mode: 0o700 });
      writeFileSync(
        join(home.folder, "brokkr", `${home.name}~dead-id~4194305~1.tree`),
        `4194306:1\n${pid}:${start}:group:dead-id/trees/1\n`,
      );
      const { child, pids, lines } = await home.broker();
      await allGone([pid]);
      assert.equal(lines.length, 1);
      const text = new RegExp(`A process of trees that an earlier broker left behind was killed \\(pid ${pid}, age `);
      assert.match(lines[0] ?? "", text);
      process.kill(child.pid ?? 0, "SIGKILL");
      await allGone(pids);
    } finally {
      unmarked.kill("SIGKILL");
      await home.remove();
    }
  },
);

test(
  "sockets of a dead Deno broker are removed at the next start, other files and folders are not",
  options,
  async () => {
    const home = new Home();
    try {
      const dead = join(home.folder, "brokkr-sockets-4194305-abc");
      const used = join(home.folder, `brokkr-sockets-${process.pid}-abc`);
      const other = join(home.folder, "brokkr-sockets-4194306-abc");
      for (const folder of [dead, used, other]) mkdirSync(folder);
      const server = createServer().listen(join(dead, "1"));
      await once(server, "listening");
      writeFileSync(join(other, "notes"), "");
      const old = new Date(Date.now() - 600_000);
      for (const folder of [dead, used, other]) utimesSync(folder, old, old);
      const { child, pids } = await home.broker();
      await until(() => !existsSync(dead));
      assert.deepEqual([used, other].map((path) => existsSync(path)), [true, true]);
      server.close();
      process.kill(child.pid ?? 0, "SIGKILL");
      await allGone(pids);
    } finally {
      await home.remove();
    }
  },
);

/** A place of its own for the files of brokers, and the brokers in it. */
class Home {
  readonly folder = mkdtempSync(join(tmpdir(), "brokkr-home-"));
  readonly name = "trees-broker";
  readonly #children: ChildProcess[] = [];

  async broker(): Promise<{ child: ChildProcess; pids: number[]; lines: string[] }> {
    const child = spawn(process.execPath, [...RUN_FLAGS, MAIN, this.name], {
      env: { ...process.env, TMPDIR: this.folder, XDG_RUNTIME_DIR: this.folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith("[{") || !/^\[\d+,/.test(line)) lines.push(line);
      else return { child, pids: JSON.parse(line), lines };
    }
    throw new Error(`the broker ended before it was ready: ${lines.join("\n")}`);
  }

  /** The files in which brokers keep what they started. */
  files(): string[] {
    return readdirSync(join(this.folder, "brokkr")).filter((file) => file.endsWith(".tree"));
  }

  async remove(): Promise<void> {
    for (const { pid = 0 } of this.#children) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await until(() => !existsSync(join(this.folder, "brokkr")) || this.files().length === 0);
    rmSync(this.folder, { recursive: true });
  }
}

function guardOf(broker: number): number {
  const guard = children(broker).find(({ pid }) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("brokkr-guard")
  );
  if (guard === undefined) throw new Error(`broker ${broker} has no guard`);
  return guard.pid;
}

/** Two seconds is what the page on reliability promises; the test's own deadline is what ends it otherwise. */
async function allGone(pids: readonly number[]): Promise<void> {
  await until(async () => (await Promise.all(pids.map(isAlive))).every((alive) => !alive));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
