// What each runtime's test runner is given: it loads one test file between two tests of its own. Deno takes a file that
// throws while it loads for one that passed, and all three take a file that ends its process for one that is done.
import { test } from "node:test";
import process from "node:process";

const file = process.env.BROKKR_TEST_FILE;
delete process.env.BROKKR_TEST_FILE;

test("brokkr: start of the file", (t) => {
  if (process.versions.deno === undefined) return;
  Object.getPrototypeOf(t).skip = () => {
    throw new Error('Deno counts t.skip() as passed: use the option, test(name, { skip: "why" }, fn)');
  };
});
try {
  await import(file);
} catch (error) {
  test("the file loads", () => {
    throw error;
  });
}
test("brokkr: end of the file", () => {});
