import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCancelledError } from "../../../src/core/faults.ts";
import { Conversation, NOTHING_LEFT, rejection } from "./conversation.ts";

for (const codec of ["rich", "json"] as const) {
  test(`call(), its progress and its cancelling work where all lists have a toJSON, in the ${codec} codec`, async () => {
    const progress: unknown[] = [];
    const stopped: boolean[] = [];
    const c = new Conversation({
      echo(list: unknown[]) {
        this.progress(["half"]);
        return [...list, { rows: [1] }];
      },
      async *count() {
        for (let item = 0; item < 300; item++) yield [item];
      },
      async wait() {
        await new Promise((resolve) => this.signal.addEventListener("abort", resolve));
        stopped.push(this.signal.aborted);
      },
    }, { codec });
    // As old Prototype.js does it.
    Object.defineProperty(Array.prototype, "toJSON", { value: () => "[]", enumerable: true, configurable: true });
    const items: unknown[] = [];
    try {
      const echoed = await c.call("echo", [[1, "x"]], { onProgress: (value) => progress.push(value) });
      for await (const item of c.stream("count")) items.push(item);
      const controller = new AbortController();
      const waiting = rejection(c.call("wait", [], { signal: controller.signal }));
      await c.clock.advance(1);
      controller.abort();
      const error = await waiting;
      Reflect.deleteProperty(Array.prototype, "toJSON");
      assert.deepEqual(echoed, [1, "x", { rows: [1] }]);
      assert.ok(error instanceof CallCancelledError && error.acknowledged);
    } finally {
      Reflect.deleteProperty(Array.prototype, "toJSON");
    }
    assert.deepEqual(progress, [["half"]]);
    assert.deepEqual([items.length, items[299]], [300, [299]]);
    assert.deepEqual(stopped, [true]);
    assert.deepEqual(c.refused, []);
    assert.deepEqual(c.counts(), { ok: 2, cancelled: 1 });
    assert.deepEqual(await c.leftovers(), NOTHING_LEFT);
  });
}
