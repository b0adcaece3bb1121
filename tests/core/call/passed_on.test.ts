// A broker between two processes reads each value and writes it again, without a look where its sender says that it is JSON alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CodecName, FrameFlag, FrameType } from "../../../src/core/wire/frame.ts";
import { frame } from "../frames.ts";
import { settle } from "../manual_clock.ts";
import { property } from "../property.ts";
import { jsonValues, richValues } from "../values.ts";
import { carry, deepList } from "../wire/carry.ts";
import { Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

class Hops {
  /** From the broker to the module. */
  readonly far: Conversation;
  /** From the first caller to the broker. */
  readonly near: Conversation;
  /** The first parameter of each call that reached the module. */
  readonly got: unknown[] = [];

  /** @param near how the caller and the broker write values. @param far the same of the broker and the module. */
  constructor(near: CodecName = "rich", far: CodecName = "rich") {
    const { got } = this;
    this.far = new Conversation({
      echo: (value: unknown) => (got.push(value), value),
      yields: function* (value: unknown) {
        yield value;
        return value;
      },
      progresses: function (value: unknown) {
        this.progress(value);
        return "done";
      },
    }, { codec: far });
    this.near = new Conversation({}, { codec: near, passesOnTo: this.far });
  }

  /** Call 1 of `echo` reaches the broker, as a peer wrote it. Resolves with the text of the answer. */
  async asked(value: string, flags = 0): Promise<string> {
    this.near.calleeEnd.deliver(frame(FrameType.calls, `[1,[1],0,["echo"],[[${value}]],0]`, flags));
    await settle();
    return textOf(this.near.calleeEnd.written);
  }

  /** The module answers call 1, as a peer writes it. */
  async answered(value: string, flags = 0): Promise<void> {
    this.far.callerEnd.deliver(frame(FrameType.answers, `[[1],0,0,[${value}]]`, flags));
    await settle();
  }

  /** What `promise` gives, while the event loops of all three turn. */
  async ended<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = promise.finally(() => isOver = true);
    while (!isOver) {
      await this.far.clock.advance(1);
      await this.near.clock.advance(1);
    }
    return await over;
  }

  async leftovers(): Promise<object[]> {
    return [await this.near.leftovers(), await this.far.leftovers()];
  }
}

function textOf(written: readonly Uint8Array[]): string {
  return written.map((bytes) => new TextDecoder().decode(bytes.subarray(8))).join();
}

/** Types and flags of the frames of calls and answers. */
function flagsOf(written: readonly Uint8Array[]): number[][] {
  return written.map((bytes) => [bytes[2] ?? 0, bytes[3] ?? 0]);
}

property("any value arrives through a broker that passes it on, both ways, as it is", richValues, async (value) => {
  const t = new Hops();
  assert.deepEqual(await t.near.call("echo", [value]), value);
  assert.deepEqual(t.got, [value]);
});

property("any value arrives through a broker that passes on JSON as JSON carries it", jsonValues, async (value) => {
  if (value === undefined) return;
  for (const [near, far] of [["json", "rich"], ["rich", "json"], ["json", "json"]] as const) {
    const t = new Hops(near, far);
    assert.deepEqual(await t.near.call("echo", [value]), carry(value, "json"));
    assert.deepEqual(t.got, [carry(value, "json")]);
  }
});

property("any value arrives through a broker as an item, a result and progress", richValues, async (value) => {
  const t = new Hops();
  const stream = t.near.stream("yields", [value]);
  assert.deepEqual(await t.ended(stream.next()), { value, done: false });
  assert.deepEqual(await t.ended(stream.next()), { value, done: true });
  const steps: unknown[] = [];
  const call = t.near.call("progresses", [value], { onProgress: (step) => steps.push(step) });
  assert.equal(await t.ended(call), "done");
  assert.deepEqual(steps, [value]);
}, { runs: 30 });

for (const text of ["-0", "-0.0e7", "-1e-999", "1e999", `-${"9".repeat(400)}`]) {
  const value = Number(text);
  const shown = value === 0 ? "-0" : value;
  test(`${text.slice(0, 9)} of a peer in another language arrives through a broker as ${shown}, both ways`, async () => {
    const t = new Hops();
    await t.asked(`{"value":[${text}]}`);
    assert.deepEqual(t.got, [{ value: [value] }]);
    // The module does not run: what answers is a peer that speaks its channel.
    const other = new Hops();
    other.far.calleeEnd.block();
    const answer = other.near.call("echo", []);
    await settle();
    await other.answered(`{"value":[${text}]}`);
    assert.deepEqual(await answer, { value: [value] });
    assert.deepEqual(await other.leftovers(), [NOTHING_LEFT, NOTHING_LEFT]);
  });
}

test("brokkr says of JSON alone that it is, to a peer that reads more than JSON", async () => {
  const plain = [[FrameType.calls, FrameFlag.plain]];
  const t = new Hops();
  assert.deepEqual(await t.near.call("echo", [{ a: [1] }]), { a: [1] });
  assert.deepEqual([flagsOf(t.near.callerEnd.written), flagsOf(t.far.callerEnd.written)], [plain, plain]);
  assert.deepEqual(flagsOf(t.near.calleeEnd.written), [[FrameType.answers, FrameFlag.plain]]);

  const more = new Hops();
  await more.near.call("echo", [{ a: -0 }]);
  assert.deepEqual(flagsOf(more.far.callerEnd.written), [[FrameType.calls, FrameFlag.attachments]]);
  assert.deepEqual(flagsOf(more.near.calleeEnd.written), [[FrameType.answers, FrameFlag.attachments]]);

  const json = new Hops("json", "json");
  await json.near.call("echo", [{ a: [1] }]);
  assert.deepEqual(flagsOf(json.near.calleeEnd.written), [[FrameType.answers, 0]]);
});

test("a broker takes a peer's word that its frame is JSON alone, and writes it without a look", async () => {
  const t = new Hops();
  assert.match(await t.asked('{"value":[-0]}', FrameFlag.plain), /^\[\[1\],0,0,\[\{"value":\[0\]\}\]\]/);
  assert.deepEqual(t.got, [{ value: [0] }]);
});

test("a broker refuses to pass on what is nested deeper than a value may be, whatever its frame says of it", async () => {
  for (const flags of [0, FrameFlag.plain]) {
    const t = new Hops();
    const answer = await t.asked(JSON.stringify(deepList(1000)), flags);
    assert.match(
      answer,
      /"code":"PAYLOAD","reason":"params are not serializable: params\[0\].* is nested deeper than 1000"/,
    );
    assert.deepEqual(t.got, []);
  }
  const t = new Hops();
  t.far.calleeEnd.block();
  const answer = rejection(t.near.call("echo", []));
  await settle();
  await t.answered(JSON.stringify(deepList(1001)), FrameFlag.plain);
  const { code, message } = Object(await answer);
  assert.equal(code, "PAYLOAD");
  assert.match(message, /result is not serializable: result\[0\].* is nested deeper than 1000/);
});
