import assert from "node:assert/strict";
import { test } from "node:test";
import { Starts } from "../../../src/core/child/role.ts";

test("Starts: what is begun before the first start settles is reached by a new process, and nothing after", () => {
  const starts = new Starts();
  starts.begun("a");
  starts.begun("b");
  assert.equal(starts.whyUnreachable("a"), null);
  starts.settled("a");
  starts.settled("b");
  starts.begun("c");
  assert.equal(starts.whyUnreachable("b"), null);
  assert.equal(
    starts.whyUnreachable("c"),
    'broker "a" was started before it, and a new process of the program goes no further than that start, ' +
      'start both at once (await Promise.all) or set "program" to a file that only starts "c"',
  );
});

test("Starts: a broker that is started again under its name is reached", () => {
  const starts = new Starts();
  starts.begun("a");
  starts.settled("a");
  starts.begun("a");
  assert.equal(starts.whyUnreachable("a"), null);
});
