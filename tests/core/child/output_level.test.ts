import assert from "node:assert/strict";
import { test } from "node:test";
import { guessLevel } from "../../../src/core/child/output.ts";

const KNOWN = {
  error: [
    "ERROR",
    "[error] no file",
    "[ ERROR ] no file",
    "2021-10-11 06:10:52,123 - loader - ERROR - no file",
    "2021-10-11T06:10:52Z ERROR loader: no file",
    "ERROR:root:no file",
    "level=error msg=x",
    'time="2021" level="fatal" msg="x"',
    '{"level":"error","msg":"x"}',
    '{"time":1,"severity":"CRITICAL","msg":"x"}',
    '{"level":50,"time":1}',
    "<3>no file",
    "<34>1 2021-10-11T06:10:52Z host su - ID47 - failed",
    "error: Uncaught (in promise) TypeError: x is undefined",
    "error[E0308]: mismatched types",
    "app.js: error: no file",
    "npm ERR! code E404",
    "Traceback (most recent call last):",
    "ValueError: invalid literal",
    "TypeError: x is not a function",
    "Uncaught RangeError: x",
    'Exception in thread "main" java.lang.NullPointerException: x',
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find module",
    "thread 'main' panicked at src/main.rs:2:5:",
    "panic: runtime error: index out of range",
    "FATAL ERROR: Reached heap limit",
    "CRITICAL: disk is full",
  ],
  warning: [
    "WARN: low memory",
    "WARNING low memory",
    "[warn] low",
    "level=warn msg=x",
    '{"level":"warning"}',
    '{"level":40}',
    "<4>low",
    "(node:7) Warning: a promise",
    "(node:7) [DEP0005] DeprecationWarning: Buffer()",
    "npm warn deprecated x",
    "warning: unused variable",
  ],
  debug: ["DEBUG:root:x", "[debug] x", "level=trace", '{"level":20}', "<7>x", "[TRACE] x"],
  info: [
    "",
    "hello",
    "INFO: x",
    "[info] x",
    '{"level":"info","msg":"ERROR"}',
    '{"level":30}',
    "<6>x",
    "0 errors, 0 warnings",
    "the error rate is low",
    "Warning signs were painted",
    "GET /error HTTP/1.1 200",
    "no error",
    "TERRORS",
    '{"msg":"\\"level\\":\\"error\\""}',
    "level=unheard_of",
  ],
} as const;

for (const level of ["error", "warning", "debug", "info"] as const) {
  test(`guessLevel() finds ${level} in the forms that programs write`, () => {
    const guessed = KNOWN[level].map((text) => [text, guessLevel(text, "info")]);
    assert.deepEqual(guessed, KNOWN[level].map((text) => [text, level]));
  });
}

test("guessLevel() takes the lines of a stack for as serious as what they belong to", () => {
  assert.equal(guessLevel("    at main (file.js:1:1)", "error"), "error");
  assert.equal(guessLevel('  File "x.py", line 1, in main', "warning"), "warning");
  assert.equal(guessLevel("  indented", "info"), "info");
  assert.equal(guessLevel("not indented", "error"), "info");
  assert.equal(guessLevel("  INFO: x", "error"), "info");
});

test("guessLevel() is done with a hostile line at once", () => {
  for (const part of ["{", '{"', " ", "a.", "npm ", "[", "-", '"level"', "Uncaught ", "A."]) {
    assert.equal(typeof guessLevel(part.repeat(100_000), "info"), "string");
  }
});
