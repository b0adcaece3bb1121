// What each runtime's test runner is given: it loads one test file between two tests of its own. Deno takes a file that
// throws while it loads for one that passed, and all three take a file that ends its process for one that is done.
import { appendFileSync } from "node:fs";
import * as modules from "node:module";
import { mock as mocks, test } from "node:test";
import process from "node:process";

const declare = test;
const { BROKKR_TEST_FILE: file, BROKKR_TEST_REASONS: reasons } = process.env;
delete process.env.BROKKR_TEST_FILE;
delete process.env.BROKKR_TEST_REASONS;

test("brokkr: start of the file", (t) => {
  // Deno counts it as passed, and Bun keeps its reason to itself.
  Object.getPrototypeOf(t).skip = () => {
    throw new Error('t.skip() is not told by all runtimes: use the option, test(name, { skip: "why" }, fn)');
  };
});

/** The `test` of the file in Deno and Bun, which keep the reasons of skips to themselves. */
function telling(name, options, ...rest) {
  if (typeof options?.skip === "string") appendFileSync(reasons, `${JSON.stringify([name, options.skip])}\n`);
  return declare(name, options, ...rest);
}

if (process.versions.deno !== undefined) {
  globalThis[Symbol.for("brokkr.test")] = { test: telling, mock: mocks };
  const url = "data:text/javascript,export const { test, mock } = globalThis[Symbol.for('brokkr.test')]";
  modules.registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "node:test" ? { url, format: "module", shortCircuit: true } : next(specifier, context),
  });
} else if (process.versions.bun !== undefined) {
  const { mock } = await import("bun:test");
  mock.module("node:test", () => ({ test: telling, mock: mocks }));
}

try {
  await import(file);
} catch (error) {
  declare("the file loads", () => {
    throw error;
  });
}
declare("brokkr: end of the file", () => {});
