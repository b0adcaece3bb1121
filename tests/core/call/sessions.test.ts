import assert from "node:assert/strict";
import fc from "fast-check";
import { FrameReader } from "../../../src/core/wire/frame.ts";
import { frame } from "../frames.ts";
import type { MemoryChannel } from "../memory_channel.ts";
import { property } from "../property.ts";
import { plainValues } from "../values.ts";
import { Conversation, NOTHING_LEFT } from "./conversation.ts";

const codecs = fc.constantFrom("rich" as const, "json" as const);
const calls = fc.array(plainValues, { minLength: 1, maxLength: 12 });
/** How many calls are made in each turn, and how long until the next. */
const turns = fc.array(fc.record({ calls: fc.integer({ min: 1, max: 4 }), ms: fc.nat({ max: 700 }) }), {
  minLength: 1,
});

/** A module that tells whose call it answers, some of them late. */
function session(codec: "rich" | "json") {
  const runs = new Map<number, number>();
  const conversation = new Conversation({
    echo: (index: number, value: unknown) => {
      runs.set(index, (runs.get(index) ?? 0) + 1);
      const answer = { index, value };
      if (index % 3 !== 0) return answer;
      // A byte that is changed on the way may make it any number.
      return new Promise((resolve) => conversation.clock.timer(index % 100 * 100, () => resolve(answer)));
    },
  }, { codec });
  return { conversation, runs };
}

interface Told {
  /** Calls that got an answer which is not their own. */
  readonly wrong: number[];
  readonly answered: number;
}

/** Makes all calls, waits for all of them, and says what came of them. */
async function play(
  conversation: Conversation,
  values: readonly unknown[],
  plan: readonly { readonly calls: number; readonly ms: number }[],
): Promise<Told> {
  const wrong: number[] = [];
  let answered = 0;
  const all: Promise<void>[] = [];
  for (let index = 0, turn = 0; index < values.length; turn++) {
    const { calls, ms } = plan[turn % plan.length] ?? { calls: 1, ms: 0 };
    for (let count = 0; count < calls && index < values.length; count++, index++) {
      const own = { index, value: values[index] };
      const call = conversation.call("echo", [own.index, own.value]).then((answer) => {
        answered++;
        if (!isSame(answer, own)) wrong.push(own.index);
      }, () => {});
      all.push(call);
    }
    await conversation.clock.advance(ms);
  }
  await conversation.clock.advance(10_000);
  await Promise.all(all);
  return { wrong, answered };
}

function isSame(answer: unknown, own: unknown): boolean {
  try {
    assert.deepEqual(answer, own);
    return true;
  } catch {
    return false;
  }
}

async function assertSettled(conversation: Conversation, runs: ReadonlyMap<number, number>, made: number) {
  assert.deepEqual([...runs].filter(([, count]) => count > 1), [], "a command ran twice");
  const { ok, retried, timeout, error, cancelled } = conversation.counters.counts();
  assert.equal(ok + retried + timeout + error + cancelled, made, "each call has one outcome");
  assert.deepEqual(await conversation.leftovers(), NOTHING_LEFT);
}

property(
  "calls of any session get their own answers, however the stream is cut",
  fc.record({
    codec: codecs,
    values: calls,
    plan: turns,
    cuts: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
  }),
  async ({ codec, values, plan, cuts }) => {
    const { conversation, runs } = session(codec);
    let turn = 0;
    const cut = function* (bytes: Uint8Array): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length;) {
        const end = at + (cuts[turn++ % cuts.length] ?? 1);
        yield bytes.slice(at, end);
        at = end;
      }
    };
    conversation.callerEnd.relay = cut;
    conversation.calleeEnd.relay = cut;
    const { wrong } = await play(conversation, values, plan);
    assert.deepEqual(wrong, []);
    assert.deepEqual(conversation.refused, []);
    await assertSettled(conversation, runs, values.length);
  },
);

type FrameFault = "none" | "lost" | "twice" | "after the next" | "garbage" | "cut off" | "unknown type";
const faults = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<FrameFault>("none") },
    fc.constantFrom<FrameFault[]>("lost", "twice", "after the next", "garbage", "cut off", "unknown type"),
  ),
  { minLength: 1, maxLength: 20 },
);

property(
  "frames that are lost, doubled, swapped, cut off or garbage give no call another's answer, and run no command twice",
  fc.record({ codec: codecs, values: calls, plan: turns, toCallee: faults, toCaller: faults }),
  async ({ codec, values, plan, toCallee, toCaller }) => {
    const { conversation, runs } = session(codec);
    spoil(conversation.callerEnd, toCallee);
    spoil(conversation.calleeEnd, toCaller);
    const { wrong } = await play(conversation, values, plan);
    assert.deepEqual(wrong, []);
    await assertSettled(conversation, runs, values.length);
  },
  { runs: 500 },
);

function spoil(end: MemoryChannel, faults: readonly FrameFault[]): void {
  let turn = 0;
  let kept: Uint8Array[] = [];
  end.relay = (bytes) => {
    const arrives: Uint8Array[] = [];
    const reader = new FrameReader(16 * 1024 * 1024, (type, flags, body) => {
      const whole = frame(type, body, flags);
      const fault = faults[turn++ % faults.length];
      const waiting = kept;
      kept = [];
      if (fault === "none") arrives.push(whole);
      else if (fault === "twice") arrives.push(whole, whole);
      else if (fault === "after the next") kept = [whole];
      else if (fault === "garbage") arrives.push(frame(type, body.map((byte) => byte ^ 0x55), flags));
      else if (fault === "cut off") arrives.push(frame(type, body.subarray(0, Math.ceil(body.length / 2)), flags));
      else if (fault === "unknown type") arrives.push(frame(200, body, flags));
      arrives.push(...waiting);
    });
    reader.push(bytes);
    return arrives;
  };
}

property(
  "bytes that are changed anywhere leave every call with an outcome, and nothing behind",
  fc.record({
    codec: codecs,
    values: calls,
    plan: turns,
    changes: fc.array(fc.record({ every: fc.integer({ min: 7, max: 300 }), mask: fc.integer({ min: 1, max: 255 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  async ({ codec, values, plan, changes }) => {
    const { conversation } = session(codec);
    for (const end of [conversation.callerEnd, conversation.calleeEnd]) {
      let at = 0;
      end.relay = (bytes) => [bytes.map((byte) => {
        at++;
        return changes.reduce((changed, { every, mask }) => at % every === 0 ? changed ^ mask : changed, byte);
      })];
    }
    await play(conversation, values, plan);
    await assertSettled(conversation, new Map(), values.length);
  },
  { runs: 300 },
);
