import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerStatus, ClusterStatus, ModuleStatus, ProcessStatus } from "brokkr";
import { columnsOf } from "../../../src/cli/terminal.ts";
import { TopState } from "../../../src/cli/top/state.ts";
import { screenLines } from "../../../src/cli/top/view.ts";
import { sampleCluster, sampleMember } from "../sample_cluster.ts";

const CALLS = { ok: 0, error: 0, timeout: 0, retried: 0, late: 0, duplicate: 0, unknown: 0, cancelled: 0 };

function process(name: string, over: Partial<ProcessStatus> = {}): ProcessStatus {
  return {
    name,
    state: "ready",
    pid: 4711,
    restarts: 0,
    uptimeMs: 61_000,
    nextRestartMs: null,
    reason: null,
    blocked: false,
    memory: { rssBytes: 50e6, pssBytes: 30e6, privateBytes: 20 * 1_048_576 },
    calls: CALLS,
    latencyMs: {
      p50: 0.14,
      p99: 21,
      sumMs: 0,
      histogram: [{ upToMs: 0.256, count: 40 }, { upToMs: 32.768, count: 2 }],
    },
    cleanup: null,
    ...over,
  };
}

function status(modules: readonly ModuleStatus[]): BrokerStatus {
  return {
    broker: { name: "demo", pid: 1, uptimeMs: 3_600_000, version: "0.1.0", runtime: "node 20", zombies: null },
    modules,
    standby: [],
  };
}

function module(name: string, over: Partial<ProcessStatus> = {}, workers: readonly ProcessStatus[] = []): ModuleStatus {
  return { ...process(name, over), workers };
}

function logged(module: string, level: "info" | "error", text: string) {
  return {
    level,
    event: "module.info" as const,
    time: new Date(2021, 9, 11, 6, 10, 52).getTime(),
    pid: 7,
    module,
    thread: "MainThread",
    fields: { text },
    lines: [`[2021-10-11 06:10:52] INFO : [ demo ] [ ${module} ] [ LOG ] [ PID:7 ] [ MainThread ] ${text}`],
  };
}

const SIZE = { width: 80, height: 16 };

function shown(state: TopState, size = SIZE): string[] {
  // The selected row is marked also without colours.
  return screenLines(state, size, false).map((line) => line.replaceAll("\x1b[7m", ">").replaceAll("\x1b[27m", ""));
}

function started(): TopState {
  const state = new TopState();
  state.see(status([module("sla"), module("web", {}, [process("web-1")])]), 0);
  return state;
}

test("top shows every process, calls a second from one look to the next, and marks what went wrong", () => {
  const state = started();
  const calls = { ...CALLS, ok: 500, error: 1 };
  const failed = { state: "failed", pid: null, uptimeMs: 0, restarts: 5 } as const;
  state.see(status([module("sla", { calls }), module("web", failed, [process("web-1")])]), 2_000);
  const lines = shown(state);
  assert.equal(lines[0]?.trimEnd(), "demo  up 1h 00m  brokkr 0.1.0  node 20");
  assert.equal(lines[1]?.trimEnd(), "3 processes, 2 ready, 1 FAILED");
  const kept = { pid: 9, memory: { rssBytes: null, pssBytes: null, privateBytes: null } };
  state.see(
    { ...status([module("sla", { calls }), module("web", failed, [process("web-1")])]), standby: [kept] },
    2_000,
  );
  assert.equal(shown(state)[1]?.trimEnd(), "3 processes, 2 ready, 1 FAILED, 1 standby");
  assert.match(lines[3] ?? "", /^>! sla +ready +0 +20\.0 MiB +251 +1 +0 +0\.14 ms +21 ms *$/);
  assert.match(lines[4] ?? "", /^! web +failed +5 /);
  assert.match(lines[5] ?? "", /^ {4}web-1 +ready /);
  assert.equal(lines.length, SIZE.height);
});

test("top has a line of the cluster, in red while a broker of it is not well", () => {
  const state = new TopState();
  const of = (members: ClusterStatus["members"]) => ({
    ...status([module("sla")]),
    cluster: sampleCluster({ members }),
  });
  state.see(of([sampleMember("web-1")]), 0);
  assert.equal(
    shown(state, { width: 90, height: 16 })[2]?.trimEnd(),
    "cluster prod: joined as node front, 1 other: web-1 ready",
  );
  assert.match(screenLines(state, SIZE, true)[2] ?? "", /^cluster/);
  state.see(of([sampleMember("web-1"), sampleMember("web-2", { state: "suspect" })]), 1_000);
  assert.ok(
    screenLines(state, SIZE, true)[2]?.startsWith(
      "\x1b[31mcluster prod: joined as node front, 2 others: web-1 ready, web-2 su",
    ),
  );
});

test("top never draws wider or higher than the screen in any view, and drops columns before names", () => {
  const state = started();
  state.hear(logged("web", "error", "漢字".repeat(60) + "\u{1F600}"));
  for (const key of ["escape", "enter", "l", "?"]) {
    state.press(key);
    for (const width of [20, 40, 60, 80, 200]) {
      for (const height of [3, 8, 24]) {
        const lines = shown(state, { width, height });
        assert.equal(lines.length, height);
        for (const line of lines) assert.ok(columnsOf(line.replace(">", "")) <= width, `${width}: ${line}`);
      }
    }
  }
  state.press("escape");
  assert.match(shown(state, { width: 60, height: 8 })[3] ?? "", /sla .* 20\.0 MiB/);
  assert.match(shown(state, { width: 120, height: 8 })[3] ?? "", /4711 +0 +1m 01s/);
});

test("top keeps the selected process when the order changes, and workers below their module only by name", () => {
  const state = started();
  state.press("down");
  state.press("down");
  assert.equal(state.selectedRow?.status.name, "web-1");
  state.press("s");
  assert.equal(state.order, "memory");
  assert.equal(state.selectedRow?.status.name, "web-1");
  state.press("home");
  assert.equal(state.selectedRow?.status.name, state.rows[0]?.status.name);
});

test("top asks before it restarts or stops, and a worker's stop is its module's", () => {
  const state = started();
  state.press("end");
  assert.equal(state.press("r"), null);
  assert.equal(shown(state).at(-1)?.trimEnd(), "restart web-1? y or n");
  assert.equal(state.press("n"), null);
  state.press("x");
  assert.deepEqual(state.press("y"), { action: "stop", name: "web" });
  assert.equal(state.question, null);
  assert.equal(state.press("quit"), "quit");
});

test("top shows one process with its latencies as bars, and its log", () => {
  const state = started();
  state.hear(logged("sla", "info", "fine [ so far ]"));
  state.hear(logged("web", "error", "broken"));
  assert.ok(shown(state).some((line) => line === "06:10:52 ERROR   web: broken"));
  assert.ok(!shown(state).some((line) => line.includes("fine")));
  state.press("enter");
  assert.ok(shown(state).some((line) => /≤ +0\.26 ms █{30} 40$/.test(line)));
  assert.ok(shown(state).some((line) => /≤ +33 ms ██ +2$/.test(line)));
  state.press("l");
  assert.ok(shown(state).some((line) => line === "06:10:52 INFO    sla: fine [ so far ]"));
  assert.ok(!shown(state).some((line) => line.includes("broken")));
  state.press("escape");
  assert.equal(state.view, "processes");
});

test("top shows the rest of a process further down, as far as there is any", () => {
  const state = started();
  state.press("enter");
  const size = { width: 40, height: 8 };
  const first = shown(state, size);
  assert.equal(first[2]?.trimEnd(), "sla");
  const seen = new Set(first);
  for (let page = 1; page <= 10; page++) {
    state.press("page-down");
    for (const line of shown(state, size)) seen.add(line);
  }
  assert.ok(seen.has("No cleanup since the last start"));
  assert.equal(shown(state, size).at(-2), "No cleanup since the last start");
  for (let page = 1; page <= 2; page++) state.press("page-up");
  assert.deepEqual(shown(state, size), first);
});

test("top that is held stands still", () => {
  const state = started();
  state.press(" ");
  state.see(status([]), 1_000);
  assert.equal(state.rows.length, 3);
  assert.match(shown(state)[1] ?? "", /HELD/);
});
