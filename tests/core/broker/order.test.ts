import assert from "node:assert/strict";
import { test } from "node:test";
import { OrderError, startOrder } from "../../../src/core/broker/options.ts";

/** Modules of a text such as `a<b,c d`: a after b and c, and d. */
function modules(text: string) {
  return text.split(" ").map((part) => {
    const [name = "", after] = part.split("<");
    return { name, after: after === undefined ? [] : after.split(",") };
  });
}

function problem(text: string): [module: string, message: string] {
  try {
    startOrder(modules(text));
  } catch (error) {
    if (error instanceof OrderError) return [error.module, error.message];
  }
  throw new Error("nothing was refused");
}

test("startOrder() keeps the order of declaration where nothing else is asked", () => {
  assert.deepEqual(startOrder(modules("b a c")), ["b", "a", "c"]);
});

test("startOrder() puts each module after those that it names", () => {
  assert.deepEqual(startOrder(modules("a<c,b b<d c d")), ["c", "d", "b", "a"]);
});

test("startOrder() spells out the circle", () => {
  assert.deepEqual(problem("a<b b<c c<b"), ["c", "modules wait for each other: b → c → b"]);
  assert.deepEqual(problem("a<a"), ["a", "modules wait for each other: a → a"]);
});

test("startOrder() refuses a name that is no module's, with the nearest one", () => {
  assert.deepEqual(problem("livestatus a<livestatu"), [
    "a",
    'module "a" comes after "livestatu", which does not exist, did you mean "livestatus"',
  ]);
  assert.deepEqual(problem("b a<zzzzzz"), ["a", 'module "a" comes after "zzzzzz", which does not exist']);
});
