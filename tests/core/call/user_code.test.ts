import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { CallCancelledError, RemoteError } from "../../../src/core/faults.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import type { CallContext } from "../../../src/core/module/definition.ts";
import { Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

/** What the program's own code throws. */
const MINE = new Error("mine");

function fail(): never {
  throw MINE;
}

/** Commands whose answers leave in one frame. */
const COMMANDS = {
  told(this: CallContext, ...values: unknown[]) {
    for (const value of values) this.progress(value);
    return "told";
  },
  plain: (value: unknown) => value,
};

test("onProgress that throws is an uncaught error of the caller's process: no call, frame or peer suffers", async () => {
  const c = new Conversation(COMMANDS);
  const calls: Promise<unknown>[] = [];
  // As many as would close the link if they were taken for refused frames.
  for (let call = 0; call < 4; call++) {
    calls.push(c.call("told", [1], { onProgress: fail }), c.call("plain", [call]));
    assert.deepEqual(await c.clock.uncaught(), [MINE]);
  }
  assert.deepEqual(await Promise.all(calls), ["told", 0, "told", 1, "told", 2, "told", 3]);
  assert.deepEqual([c.refused, c.closed], [[], []]);
  assert.deepEqual(c.counts(), { ok: 8 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("onProgress that throws gets the next value all the same", async () => {
  const c = new Conversation(COMMANDS);
  const seen: unknown[] = [];
  const result = c.call("told", [1, 2, 3], {
    onProgress(value) {
      seen.push(value);
      if (value !== 3) fail();
    },
  });
  assert.deepEqual(await c.clock.uncaught(), [MINE, MINE]);
  assert.equal(await result, "told");
  assert.deepEqual(seen, [1, 2, 3]);
});

test("onProgress runs before whoever awaits the call goes on", async () => {
  const c = new Conversation(COMMANDS, { tracesPromises: true });
  const order: unknown[] = [];
  const done = c.call("told", [1, 2], { onProgress: (value) => order.push(value) }).then(() => order.push("answer"));
  await c.clock.advance(0);
  await done;
  assert.deepEqual(order, [1, 2, "answer"]);
});

test("onProgress runs in the AsyncLocalStorage context in which its call was made", async () => {
  const storage = new AsyncLocalStorage<string>();
  const c = new Conversation(COMMANDS);
  const seen: unknown[] = [];
  const onProgress = (value: unknown) => void seen.push([value, storage.getStore()]);
  const calls = [
    storage.run("first", () => c.call("told", [1], { onProgress })),
    storage.run("second", () => c.call("told", [2, 3], { onProgress })),
    c.call("told", [4], { onProgress }),
  ];
  await storage.run("another", () => c.clock.advance(0));
  await Promise.all(calls);
  assert.deepEqual(seen, [[1, "first"], [2, "second"], [3, "second"], [4, undefined]]);
});

test("onProgress may make a call, cancel its own, or lose the process: each call ends once", async () => {
  const c = new Conversation({ ...COMMANDS, forever: untilCancelled });
  const made: Promise<unknown>[] = [];
  const calling = c.call("told", [1], { onProgress: () => void made.push(c.call("plain", ["made inside"])) });
  const controller = new AbortController();
  const cancelling = rejection(
    c.call("forever", [], { signal: controller.signal, onProgress: () => controller.abort() }),
  );
  await c.clock.advance(200);
  assert.equal(await calling, "told");
  assert.deepEqual(await Promise.all(made), ["made inside"]);
  assert.ok(await cancelling instanceof CallCancelledError);
  const losing = rejection(c.call("forever", [], { onProgress: () => c.crash() }));
  await c.clock.advance(0);
  assert.match(String(await losing), /process was killed by SIGKILL/);
  assert.deepEqual(c.refused, []);
  assert.deepEqual(c.counts(), { ok: 2, cancelled: 1, error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("onProgress that returns a promise that never settles holds nothing up", async () => {
  const c = new Conversation(COMMANDS);
  const result = c.call("told", [1, 2], { onProgress: () => new Promise(() => {}) });
  await c.clock.advance(0);
  assert.equal(await result, "told");
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

function untilCancelled(this: CallContext): Promise<never> {
  this.progress("begun");
  return new Promise(() => {});
}

/** Iterators of the program whose end goes wrong, and the message that the callee's line has. */
const BAD_ENDS: Record<string, [() => unknown, string | null]> = {
  "a synchronous generator whose finally block throws": [function* () {
    try {
      for (;;) yield 1;
    } finally {
      fail();
    }
  }, "mine"],
  "an async generator whose finally block throws": [async function* () {
    try {
      for (;;) yield 1;
    } finally {
      fail();
    }
  }, "mine"],
  "an iterator whose return() throws": [() => iterator({ return: fail }), "mine"],
  "an iterator whose return is a getter that throws": [
    () => iterator(Object.defineProperty({}, "return", { get: fail })),
    "mine",
  ],
  "an iterator whose return is no function": [() => iterator({ return: 5 }), "is not a function"],
  "an iterator whose return() rejects": [() => iterator({ return: () => Promise.reject(MINE) }), "mine"],
  "an iterator without return()": [() => iterator({}), null],
  "an iterator whose last step never comes": [() => {
    let steps = 0;
    return iterator({
      next: () => steps++ < 2 ? { value: 1, done: false } : new Promise(() => {}),
      return: () => ({ value: undefined, done: true }),
    });
  }, null],
};

function iterator(methods: object): object {
  const made = { next: () => ({ value: 1, done: false }) };
  Object.defineProperties(made, Object.getOwnPropertyDescriptors(methods));
  return Object.assign(made, { [Symbol.asyncIterator]: () => made });
}

for (const [what, [command, message]] of Object.entries(BAD_ENDS)) {
  test(`${what} ends its call when the stream is left: the error is the command's`, async () => {
    const c = new Conversation({ command, plain: (value: unknown) => value }, { concurrency: 2 });
    for (let left = 1; left <= 5; left++) {
      const stream = c.stream("command");
      const first = stream.next();
      await c.clock.advance(0);
      assert.deepEqual(await first, { value: 1, done: false });
      const end = stream.return();
      // Less than a callee has that ends by nothing.
      await c.clock.advance(50);
      assert.deepEqual(await end, { value: undefined, done: true });
    }
    const idle = c.callee.idle().then(() => "idle");
    const answered = c.call("plain", ["still here"]);
    await c.clock.advance(0);
    assert.equal(await answered, "still here");
    assert.equal(await idle, "idle");
    assert.deepEqual([c.refused, c.closed], [[], []]);
    assert.deepEqual(c.counts(), { ok: 6 });
    const errors = c.received.ids().filter((id) => id === "command.error").length;
    assert.equal(errors, message === null ? 0 : 5);
    if (message !== null) {
      assert.ok(c.received.lines().some((line) => line.includes(message)), c.received.lines().join("\n"));
    }
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}

test("a stream ends with the command's error where the iterator's next() gives no object", async () => {
  const c = new Conversation({ command: () => iterator({ next: () => 5 }) });
  const first = rejection(c.stream("command").next());
  await c.clock.advance(0);
  const error = await first;
  assert.ok(error instanceof RemoteError);
  assert.equal(error.message, "iterator result 5 is not an object");
  assert.deepEqual(c.counts(), { error: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("a stream that is cancelled by a signal ends acknowledged where the iterator's return() throws", async () => {
  const c = new Conversation({ command: () => iterator({ return: fail }) });
  const controller = new AbortController();
  const stream = c.stream("command", [], { signal: controller.signal });
  const first = stream.next();
  await c.clock.advance(0);
  await first;
  controller.abort();
  const failed = rejection(stream.next());
  await c.clock.advance(50);
  const error = await failed;
  assert.ok(error instanceof CallCancelledError, String(error));
  assert.equal(error.acknowledged, true);
  assert.deepEqual(c.refused, []);
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

test("the end of the link stops every iterator, also those behind one whose return() throws", async () => {
  let ended = 0;
  const c = new Conversation({
    bad: () => iterator({ return: fail }),
    async *good() {
      try {
        for (;;) yield 1;
      } finally {
        ended++;
      }
    },
  });
  for (const command of ["bad", "good", "bad", "good"]) {
    const first = c.stream(command).next();
    await c.clock.advance(0);
    await first;
  }
  c.callee.abort();
  await c.clock.advance(0);
  assert.equal(ended, 2);
});

class Thing {
  a = 1;
}

for (const trap of ["getPrototypeOf", "has", "get", "ownKeys", "getOwnPropertyDescriptor"] as const) {
  for (const codec of ["json", "rich"] as const) {
    test(`a result whose Proxy throws in ${trap} rejects the call, sync, async and streamed (${codec})`, async () => {
      const proxy = () => new Proxy(new Thing(), { [trap]: fail });
      const c = new Conversation({
        sync: proxy,
        later: () => Promise.resolve().then(proxy),
        // A promise asks what it is resolved with for its `then`.
        async async() {
          await undefined;
          return proxy();
        },
        *yields() {
          yield proxy();
        },
      }, { codec });
      for (const command of ["sync", "later", "async"]) {
        const failed = rejection(c.call(command));
        await c.clock.advance(0);
        assert.match(String(await failed), /mine/, command);
      }
      const failed = rejection(c.stream("yields").next());
      await c.clock.advance(0);
      // An item is only encoded, and JSON never asks a value what it has.
      if (trap !== "has") assert.match(String(await failed), /mine/);
      assert.deepEqual([c.refused, c.closed], [[], []]);
      assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
    });
  }
}

test("a promise whose own then() settles twice and throws answers its call once", async () => {
  const c = new Conversation({
    twice() {
      const promise = Promise.resolve("never seen");
      return Object.assign(promise, {
        then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
          resolve("first");
          resolve("second");
          reject(MINE);
          fail();
        },
      });
    },
  });
  const result = c.call("twice");
  await c.clock.advance(0);
  assert.equal(await result, "first");
  assert.deepEqual(c.counts(), { ok: 1 });
  assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
});

for (const codec of ["json", "rich"] as const) {
  test(`a getter and a toJSON that make calls while they are encoded change no other value (${codec})`, async () => {
    const c: Conversation = new Conversation({ plain: (value: unknown) => value }, { codec });
    const inner: Promise<unknown>[] = [];
    const value = {
      before: ["a".repeat(100), { x: 1 }],
      get calls() {
        inner.push(c.call("plain", [{ inner: "b".repeat(100), x: [1, 2] }]));
        return { of: "the getter" };
      },
      json: {
        toJSON() {
          inner.push(c.call("plain", [{ x: { inner: "c" } }]));
          return ["of toJSON"];
        },
      },
      after: "d".repeat(100),
    };
    const result = c.call("plain", [value]);
    await c.clock.advance(0);
    assert.deepEqual(await result, {
      before: ["a".repeat(100), { x: 1 }],
      calls: { of: "the getter" },
      json: ["of toJSON"],
      after: "d".repeat(100),
    });
    for (const answer of await Promise.all(inner)) {
      const { inner: text, x } = Object(answer);
      assert.deepEqual(
        text === undefined ? x : [text, x],
        text === undefined ? { inner: "c" } : ["b".repeat(100), [1, 2]],
      );
    }
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });

  test(`a result whose getter tells progress arrives whole, and so does the progress (${codec})`, async () => {
    const c = new Conversation({
      command(this: CallContext) {
        const progress = (value: unknown) => this.progress(value);
        return {
          before: "a".repeat(100),
          get told() {
            progress({ step: "b".repeat(100) });
            return 1;
          },
          after: "c".repeat(100),
        };
      },
    }, { codec });
    const seen: unknown[] = [];
    const result = c.call("command", [], { onProgress: (value) => seen.push(value) });
    await c.clock.advance(0);
    assert.deepEqual(await result, { before: "a".repeat(100), told: 1, after: "c".repeat(100) });
    assert.deepEqual(seen[0], { step: "b".repeat(100) });
  });

  test(`a toJSON that throws an error that can't be read is told all the same (${codec})`, async () => {
    const unreadable = {
      toJSON: () => {
        throw Object.defineProperty(new Error(), "message", { get: fail });
      },
    };
    const c = new Conversation({ result: () => unreadable, plain: () => 1 }, { codec });
    for (const [command, params] of [["result", []], ["plain", [unreadable]]] as const) {
      const failed = rejection(c.call(command, params));
      await c.clock.advance(0);
      const error = await failed;
      assert.ok(error instanceof Error && !(error instanceof RemoteError), String(error));
      assert.match(error.message, /not serializable/);
    }
    assert.deepEqual([c.refused, c.counts()], [[], { error: 2 }]);
  });
}

test("a frame that can't be understood is still refused, and three of them close the link", async () => {
  const c = new Conversation({});
  for (let frame = 0; frame < 3; frame++) c.callerLink.send(FrameType.calls, "no JSON");
  await c.clock.advance(0);
  assert.equal(c.refused.length, 3);
  assert.ok(c.closed.includes("3 frames in a row were refused"));
});

/** A signal of the program's own make, whose `method` throws. */
function badSignal(method: "addEventListener" | "removeEventListener" | "aborted"): AbortSignal {
  const { signal } = new AbortController();
  return Object.defineProperty(signal, method, method === "aborted" ? { get: fail } : { value: fail });
}

test("a signal that can't be asked rejects its own call and stream, which send nothing", async () => {
  for (const method of ["addEventListener", "aborted"] as const) {
    const c = new Conversation(COMMANDS);
    assert.equal(await rejection(c.call("plain", [1], { signal: badSignal(method) })), MINE);
    const stream = c.stream("plain", [1], { signal: badSignal(method) });
    assert.equal(await rejection(stream.next()), MINE);
    assert.deepEqual(await stream.next(), { value: undefined, done: true });
    const result = c.call("plain", [2]);
    await c.clock.advance(0);
    assert.equal(await result, 2);
    assert.deepEqual(c.received.ids(), ["command.executing"]);
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  }
});

test("a signal that does not let go of its listener holds up no call", async () => {
  const c = new Conversation(COMMANDS);
  const result = c.call("plain", [1], { signal: badSignal("removeEventListener") });
  assert.deepEqual(await c.clock.uncaught(), []);
  assert.equal(await result, 1);
  assert.deepEqual([c.refused, await c.leftovers()], [[], NOTHING_LEFT]);
});
