/**
 * Types of streams and checked commands. What is in functions named `types…` is only compiled: `@ts-expect-error` fails the check where a line that
 * must not compile does.
 */

import type { Broker, StandardSchema } from "brokkr";
import { defineModule, withSchema } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Equal, same } from "./same.ts";

const month: StandardSchema<[string], [number]> = {
  "~standard": { version: 1, vendor: "test", validate: () => ({ value: [10] }) },
};

const streams = defineModule({
  name: "streams",
  commands: {
    async *count(to: number): AsyncGenerator<number> {
      yield to;
    },
    list: () => ["a"],
    plain: () => 7,
    checked: withSchema({ params: month }, (number) => ({ number })),
  },
});

async function typesOfStreams(broker: Broker) {
  for await (const item of broker.stream(streams, "count", [3])) same<Equal<typeof item, number>>();
  for await (const item of broker.stream(streams, "list")) same<Equal<typeof item, string>>();
  for await (const item of broker.stream("streams", "count", [3])) same<Equal<typeof item, unknown>>();
  for await (const item of broker.stream(streams, "plain")) same<Equal<typeof item, never>>();
  // @ts-expect-error the parameter is a number
  broker.stream(streams, "count", ["3"]);
  const never = await broker.call(streams, "count", [3]);
  same<Equal<typeof never, never>>();
  const checked = await broker.call(streams, "checked", ["2021-10"]);
  same<Equal<typeof checked, { number: number }>>();
  // @ts-expect-error what the check takes is a string
  await broker.call(streams, "checked", [10]);
}

test("the types of streams and checked commands compile as this file says", () => {
  // The compiler has tested them; here is only proof that it saw them.
  assert.deepEqual([typesOfStreams].map(({ length }) => length), [1]);
  assert.equal(streams.name, "streams");
});
