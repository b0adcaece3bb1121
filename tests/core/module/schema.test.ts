import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { RemoteError } from "../../../src/core/faults.ts";
import type { CallContext, StandardSchema } from "../../../src/core/module/definition.ts";
import { withSchema } from "../../../src/core/module/schema.ts";
import { Conversation, rejection } from "../call/conversation.ts";

const MONTH = v.pipe(v.string(), v.regex(/^\d{4}-\d\d$/, "must be a month"));

/** A check that takes its time. */
const LATER: StandardSchema<[number], [number]> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) => {
      await Promise.resolve();
      const [first] = Array.isArray(value) ? value : [];
      return typeof first === "number" ? { value: [first + 1] } : { issues: [{ message: "no number" }] };
    },
  },
};

const ran: unknown[] = [];
const commands = {
  report: withSchema({ params: v.tuple([MONTH, v.optional(v.number(), 7)]) }, (month, days) => {
    ran.push([month, days]);
    return { month, days };
  }),
  nested: withSchema(
    { params: v.tuple([v.object({ hosts: v.array(v.object({ "the name": v.string() })) })]) },
    (q) => q,
  ),
  result: withSchema({ result: v.object({ up: v.number() }) }, (up: unknown) => ({ up }) as { up: number }),
  later: withSchema(
    { params: LATER, result: v.pipe(v.number(), v.transform(String)) },
    function (this: CallContext, one) {
      return Promise.resolve(one + this.id);
    },
  ),
  items: withSchema({ result: v.number() }, function* () {
    yield 1;
    yield "two" as unknown as number;
  }),
};

async function remote(promise: Promise<unknown>): Promise<{ name: string; message: string; data: unknown }> {
  const error = await rejection(promise);
  assert.ok(error instanceof RemoteError, String(error));
  return { name: error.remoteName, message: error.message, data: error.data };
}

test("withSchema() runs the command with what the check made of its parameters", async () => {
  const c = new Conversation(commands);
  assert.deepEqual(await c.call("report", ["2021-10"]), { month: "2021-10", days: 7 });
  assert.deepEqual(ran.splice(0), [["2021-10", 7]]);
  assert.deepEqual(c.counts(), { ok: 1 });
});

test("withSchema() refuses parameters with the path of what is wrong, and the command does not run", async () => {
  const c = new Conversation(commands);
  assert.deepEqual(await remote(c.call("report", ["October", "x"])), {
    name: "SchemaError",
    message: 'params[0]: must be a month; params[1]: Invalid type: Expected number but received "x"',
    data: {
      issues: [
        { path: "params[0]", message: "must be a month" },
        { path: "params[1]", message: 'Invalid type: Expected number but received "x"' },
      ],
    },
  });
  assert.deepEqual(ran, []);
  assert.equal(c.received.ids().at(-1), "command.error");
  assert.deepEqual(c.counts(), { error: 1 });
});

test("withSchema() shows the path through objects, lists and names that are no words, and the first five of many", async () => {
  const c = new Conversation(commands);
  const { message } = await remote(c.call("nested", [{ hosts: Array.from({ length: 7 }, () => ({ "the name": 1 })) }]));
  assert.match(message, /^params\[0\]\.hosts\[0\]\["the name"\]: Invalid type/);
  assert.match(message, /; and 2 more$/);
});

test("withSchema() checks the result before it leaves", async () => {
  const c = new Conversation(commands);
  assert.deepEqual(await c.call("result", [105]), { up: 105 });
  const { message } = await remote(c.call("result", ["many"]));
  assert.equal(message, 'result.up: Invalid type: Expected number but received "many"');
});

test("withSchema() waits for checks that take time, and keeps the call's context", async () => {
  const c = new Conversation(commands);
  assert.equal(await c.call("later", [40]), "42");
  assert.equal((await remote(c.call("later", ["x"]))).message, "params: no number");
});

test("withSchema() checks each item of a stream", async () => {
  const c = new Conversation(commands);
  const stream = c.stream("items");
  const first = stream.next();
  await c.clock.advance(0);
  assert.deepEqual(await first, { value: 1, done: false });
  assert.equal((await remote(stream.next())).message, 'item[1]: Invalid type: Expected number but received "two"');
});

/** Checks of other libraries, and what a call of their command is rejected with; null where it is not. */
const VALIDATORS: Record<string, [(value: unknown) => unknown, RegExp | null]> = {
  "throws": [fail, /^mine$/],
  "rejects": [() => Promise.reject(new Error("mine")), /^mine$/],
  "gives a thenable of its own": [(value) => ({ then: (resolve: (v: unknown) => void) => resolve({ value }) }), null],
  "gives a thenable that throws": [() => ({ then: fail }), /^mine$/],
  "gives a result with a getter that throws": [() => Object.defineProperty({}, "issues", { get: fail }), /^mine$/],
  "gives issues that are no list": [() => ({ issues: 5 }), /is not a function/],
  "gives nothing": [() => undefined, /undefined/],
};

function fail(): never {
  throw new Error("mine");
}

for (const [what, [validate, message]] of Object.entries(VALIDATORS)) {
  test(`a check that ${what} ends its own call, and no other`, async () => {
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as StandardSchema<[], []>;
    const c = new Conversation({
      params: withSchema({ params: schema }, () => "ran"),
      result: withSchema({ result: schema as StandardSchema }, () => "ran"),
      items: withSchema({ result: schema as StandardSchema }, function* () {
        yield "ran";
      }),
      plain: () => 1,
    });
    const first = async () => (await c.stream("items").next()).value;
    for (const make of [() => c.call("params"), () => c.call("result"), first]) {
      const result = rejection(make());
      const other = c.call("plain");
      for (let turn = 0; turn < 5; turn++) await c.clock.advance(0);
      assert.equal(await other, 1);
      const outcome = await result;
      if (message === null) assert.deepEqual(outcome, { resolvedWith: "ran" });
      else assert.ok(outcome instanceof RemoteError && message.test(outcome.message), String(outcome));
    }
    assert.deepEqual(c.refused, []);
  });
}

test("what a handler gives back is awaited before its check, whoever made the promise", async () => {
  const schema: StandardSchema<string> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => typeof value === "string" ? { value } : { issues: [{ message: "no text" }] },
    },
  };
  const thenable = { then: (resolve: (value: string) => void) => resolve("later") };
  const c = new Conversation({ later: withSchema({ result: schema }, () => thenable as unknown as string) });
  const result = c.call("later");
  await c.clock.advance(0);
  assert.equal(await result, "later");
});
