import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlClient } from "../../../src/core/control/client.ts";
import { type Answer, ask, type Outcome, plainValue, type Question } from "../../../src/core/control/question.ts";
import { FrameFlag, FrameReader, FrameType, PROTOCOL_VERSION } from "../../../src/core/wire/frame.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { frame } from "../frames.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";

const HELLO = frame(FrameType.hello, JSON.stringify({ protocol: PROTOCOL_VERSION, codecs: ["rich"] }));

/** What a whole client makes of the outcome of a call that was asked before. */
async function called(outcome: Outcome | null) {
  assert.ok(outcome !== null);
  const client = ControlClient.asked(new FakeRuntime(), { broker: "shop", path: "/run/shop.sock", outcome });
  return await client.call("sla", "greet", [], {});
}

/** Asks a broker that is a test. */
function asking(question: Question = { command: "status", params: [1] }) {
  const clock = new ManualClock();
  const [near, far] = MemoryChannel.pair();
  const sent: (readonly [type: number, text: string])[] = [];
  const reader = new FrameReader(1_000, (type, _, body) => void sent.push([type, new TextDecoder().decode(body)]));
  far.open({ data: (chunk) => reader.push(chunk), drained: () => {}, closed: () => {} });
  const seen: Answer[] = [];
  const asker = { name: "node", version: "1", pid: 7, clock, connect: () => Promise.resolve(near) } as const;
  const outcome = ask(asker, { broker: "shop", path: "/run/shop.sock" }, question, (answer) => seen.push(answer));
  return { clock, near, far, sent, seen, outcome };
}

test("ask() puts its question once the broker has said hello, and leaves with the answer", async () => {
  const { sent, far, near, outcome } = asking();
  await settle();
  assert.deepEqual(sent.map(([type]) => type), [FrameType.hello]);
  far.write(HELLO);
  await settle();
  assert.deepEqual(sent.slice(1), [[FrameType.calls, '[1,[1],0,["status"],[[1]],0]']]);
  far.write(frame(FrameType.answers, '[[1],0,0,[{"ok":true}]]'));
  const answer = await outcome;
  assert.deepEqual(answer !== null && "columns" in answer && plainValue(answer), { ok: true });
  assert.equal(near.closed, true);
});

test("ask() reads an answer of JSON alone, whatever else its flags say", async () => {
  for (const flags of [FrameFlag.plain, 0xfe]) {
    const { far, outcome } = asking();
    await settle();
    far.write(HELLO);
    await settle();
    far.write(frame(FrameType.answers, '[[1],0,0,[{"ok":true}]]', flags));
    const answer = await outcome;
    assert.deepEqual(answer !== null && "columns" in answer && plainValue(answer), { ok: true });
  }
});

for (
  const [title, greet] of [
    ["speaks another protocol", ({ far }) => far.write(frame(FrameType.hello, '{"protocol":99}'))],
    ["says no hello in 1 s", ({ clock }) => clock.advance(1_000)],
    ["ends before its hello", ({ far }) => far.close()],
    ["says hello in no JSON", ({ far }) => far.write(frame(FrameType.hello, "hello"))],
  ] as readonly (readonly [string, (asked: ReturnType<typeof asking>) => unknown])[]
) {
  test(`ask() asks nothing of a broker that ${title}`, async () => {
    const asked = asking();
    await settle();
    await greet(asked);
    assert.equal(await asked.outcome, null);
    assert.deepEqual(asked.sent.map(([type]) => type), [FrameType.hello]);
  });
}

test("ask() says why no answer can come, so that a call is not made twice", async () => {
  const { far, outcome } = asking();
  far.write(HELLO);
  await settle();
  far.write(frame(FrameType.close, '{"reason":"too many clients"}'));
  far.close();
  const lost = await outcome;
  assert.deepEqual(lost, { lost: "too many clients" });
  await assert.rejects(called(lost), {
    name: "ProcessGoneError",
    message: 'Cannot call command "greet" of module "sla": too many clients',
  });
});

test("ask() gives up a question with a timeout", async () => {
  const { clock, far, outcome } = asking({ command: "status", params: [], timeoutMs: 10_000 });
  far.write(HELLO);
  await settle();
  await clock.advance(10_000);
  assert.deepEqual(await outcome, { lost: "no answer" });
});

test("ControlClient reads of an answer what JSON has no word for, behind the progress that came with it", async () => {
  const { far, seen, outcome } = asking();
  far.write(HELLO);
  await settle();
  far.write(frame(FrameType.answers, "[[1],0,[5],[50]]"));
  await settle();
  assert.deepEqual(seen.map(({ columns }) => columns[3]), [[50]]);
  const text = '[[1,1],0,[5,0],[60,{"ok":true,"value":{"value":null,"attempts":1,"ms":2}}],[[[1,"value","value"],2]]]';
  const body = new Uint8Array([0, 0, 0, text.length, ...new TextEncoder().encode(text), 104, 105]);
  far.write(frame(FrameType.answers, body, 1));
  const answer = await outcome;
  assert.equal(answer !== null && "columns" in answer && plainValue(answer), undefined);
  assert.deepEqual(await called(answer), { value: new Uint8Array([104, 105]), attempts: 1, ms: 2 });
});

test("ControlClient throws what the broker's own call would, though it was asked before", async () => {
  const { far, outcome } = asking();
  far.write(HELLO);
  await settle();
  const fault = { code: "UNKNOWN_MODULE", reason: "there is none" };
  far.write(frame(FrameType.answers, `[[1],0,0,[${JSON.stringify({ ok: false, fault })}]]`));
  const answer = await outcome;
  await assert.rejects(called(answer), { name: "UnknownModuleError" });
});

test("ControlClient says of a broker that is gone meanwhile that it can't be reached, at the second command only", async () => {
  const outcome = { flags: 0, body: new TextEncoder().encode('[[1],0,0,[{"ok":true}]]'), columns: [] };
  const client = ControlClient.asked(new FakeRuntime(), { broker: "shop", path: "/run/shop.sock", outcome });
  await client.restart("sla");
  await assert.rejects(client.status(), { name: "ControlLostError", message: /^Cannot reach broker "shop": / });
});
