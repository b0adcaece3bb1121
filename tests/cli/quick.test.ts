import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asking } from "../../src/runtime/runtime.ts";
import type { Asked } from "../../src/core/control/question.ts";
import { quick } from "../../src/cli/quick.ts";
import { FrameReader, FrameType, PROTOCOL_VERSION } from "../../src/core/wire/frame.ts";
import { frame } from "../core/frames.ts";
import { ManualClock } from "../core/manual_clock.ts";
import { MemoryChannel } from "../core/memory_channel.ts";
import { sampleStatus } from "./page/sample_status.ts";

class Ended extends Error {}

/** What came of a command, asked of a broker that answers each command with these values. */
async function run(
  words: readonly string[],
  answers: Readonly<Record<string, unknown>>,
  terminal: Asking["terminal"] = () => null,
) {
  const questions: [command: string, params: unknown][] = [];
  const rest: (Asked | undefined)[] = [];
  const printed: [output: string, text: string][] = [];
  const connect = () => {
    const [near, far] = MemoryChannel.pair();
    const reader = new FrameReader(10_000, (type, _, body) => {
      if (type === FrameType.hello) {
        far.write(frame(FrameType.hello, JSON.stringify({ protocol: PROTOCOL_VERSION, codecs: ["rich"] })));
      }
      if (type !== FrameType.calls) return;
      const [, , , [command], [params]] = JSON.parse(new TextDecoder().decode(body));
      questions.push([command, params]);
      far.write(frame(FrameType.answers, JSON.stringify([[1], 0, 0, [{ ok: true, value: answers[command] }]])));
    });
    far.open({ data: (chunk) => reader.push(chunk), drained: () => {}, closed: () => {} });
    return Promise.resolve(near);
  };
  const asking: Asking = {
    name: "node",
    version: "1",
    pid: 7,
    clock: new ManualClock(),
    files: { folder: () => "/run/brokkr", list: () => ["shop.sock"], remove: () => {} },
    connect,
    variable: () => undefined,
    onSignal: () => () => {},
    terminal,
    write: (bytes, output) => void printed.push([output, new TextDecoder().decode(bytes)]),
    exit: () => {
      throw new Ended();
    },
  };
  await quick(asking, words, (asked) => Promise.resolve(void rest.push(asked))).catch((error) => {
    if (!(error instanceof Ended)) throw error;
  });
  return { questions, printed, rest };
}

test("brokkr call leaves to the whole command line what it can't print, and the call that it made is not made again", async () => {
  const value = { value: "hello", attempts: 1, ms: 2 };
  const { questions, rest } = await run(["call", "sla", "greet", "you"], { call: value }, () => {
    throw new Error("no size");
  });
  assert.deepEqual(questions, [["call", ["sla", "greet", ["you"], {}]]]);
  assert.equal(rest.length, 1);
  assert.ok(rest[0] !== undefined && "columns" in rest[0].outcome);
});

test("brokkr describe shows a module with one question, and leaves to the whole command line what is unknown", async () => {
  const greet = { name: "greet", about: null, params: [], result: {}, stream: false };
  const known = { name: "sla", kind: "module", commands: [greet], error: null, code: null };
  const { questions, printed, rest } = await run(["describe", "sla"], { describe: [known] });
  assert.deepEqual(questions, [["describe", ["sla", false]]]);
  assert.deepEqual(printed, [["stdout", "sla\n  greet()\n"]]);
  assert.deepEqual(rest, []);
  const unknown = await run(["describe"], {
    describe: [{ ...known, commands: [], error: "it is gone", code: "GONE" }],
  });
  assert.deepEqual(unknown.printed, []);
  assert.equal(unknown.rest[0]?.broker, "shop");
});

for (
  const [words, question, text] of [
    [["restart", "sla"], ["restart", ["sla"]], "sla was restarted\n"],
    [["reload"], ["reload", []], "Every module was reloaded\n"],
    [["scale", "sla", "1"], ["scale", ["sla", 1]], "sla has 1 worker\n"],
  ] as const
) {
  test(`brokkr ${words.join(" ")} asks, looks whether all have started, and says so`, async () => {
    const { questions, printed, rest } = await run(words, {
      reload: [],
      scale: null,
      status: sampleStatus({ name: "sla" }),
    });
    assert.deepEqual(questions, [question, ["status", []]]);
    assert.deepEqual(printed, [["stderr", text]]);
    assert.deepEqual(rest, []);
  });
}

test("brokkr stop asks nothing of a broker that has stopped", async () => {
  const { questions, printed } = await run(["stop"], {});
  assert.deepEqual(questions, [["stop", []]]);
  assert.deepEqual(printed, [["stderr", "The broker has stopped\n"]]);
});

test("brokkr restart leaves to the whole command line that a process did not start, and is not asked again", async () => {
  const status = sampleStatus({ name: "sla" });
  const modules = status.modules.map((module) => ({ ...module, state: "backoff" }));
  const { questions, printed, rest } = await run(["restart"], { status: { ...status, modules } });
  assert.deepEqual(questions.map(([command]) => command), ["restart", "status"]);
  assert.deepEqual(printed, []);
  assert.ok(rest[0] !== undefined && "columns" in rest[0].outcome);
});

test("brokkr restart is left to the whole command line on a terminal, which shows the steps", async () => {
  const { questions, rest } = await run(["restart"], {}, () => ({ columns: 80 }));
  assert.deepEqual(questions, []);
  assert.deepEqual(rest, [undefined]);
});
