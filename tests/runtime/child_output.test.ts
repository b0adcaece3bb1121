import assert from "node:assert/strict";
import { test } from "node:test";
import { ChildOutput } from "../../src/runtime/posix/child_output.ts";
import { within } from "./started.ts";

test("ChildOutput.drained() settles at once where no stream is open", async () => {
  const output = new ChildOutput();
  output.opened();
  output.ended();
  await within(output.drained());
});

test("ChildOutput.drained() waits for the end of every stream", async () => {
  const output = new ChildOutput();
  output.opened();
  output.opened();
  const order: string[] = [];
  const drained = output.drained().then(() => order.push("drained"));
  output.chunk();
  output.ended();
  await Promise.resolve();
  order.push("first end");
  output.ended();
  order.push("second end");
  await within(drained);
  assert.deepEqual(order, ["first end", "second end", "drained"]);
});

test("ChildOutput.drained() waits as long as chunks come, and no longer", async () => {
  const output = new ChildOutput();
  output.opened();
  let chunks = 0;
  const timer = setInterval(() => {
    output.chunk();
    if (++chunks === 30) clearInterval(timer);
  }, 5);
  await within(output.drained());
  assert.equal(chunks, 30);
});
