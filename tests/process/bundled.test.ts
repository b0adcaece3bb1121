import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../fixtures/broker/bundled.ts", import.meta.url));
const skip = "Bun" in globalThis ? false : "only Bun comes with a bundler";

/** Of the file of that name. */
const FRAME = /^ {2}File "[^"]*program(?:\.js)?", line \d+, in (.*)$/;

/** Names of the functions in each stack that the program logs when it was built with these flags. */
function loggedFunctions(...flags: string[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-bundled-"));
  try {
    const file = join(folder, "program.js");
    const built = spawnSync(process.execPath, ["build", PROGRAM, "--target=bun", ...flags, "--outfile", file]);
    assert.equal(built.status, 0, String(built.stderr));
    const command = flags.includes("--compile") ? [file] : [process.execPath, file];
    const { stdout, stderr } = spawnSync(command[0] ?? "", command.slice(1), { timeout: 30_000 });
    assert.match(String(stdout), /^\[/, String(stderr));
    const stacks: string[][] = JSON.parse(String(stdout));
    return stacks.map((lines) => lines.map((line) => FRAME.exec(line)?.[1] ?? line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const HEAD = "Traceback (most recent call last):";
const LATE = [HEAD, "late", "fail", "TypeError: bang"];
const AT_ONCE = [HEAD, "at_once", "fail", "TypeError: bang"];
const ASKED = [HEAD, "ask", "RemoteError: bang", `Caused by: ${HEAD}`, "at_once", "fail", "TypeError: bang"];

test("stacks of a program that is bundled with the library have its own frames and none of the library's", {
  skip,
  timeout: 60_000,
}, () => {
  assert.deepEqual(loggedFunctions(), [LATE, AT_ONCE, AT_ONCE, ASKED]);
});

test("stacks of a program that is compiled into a binary without a source map have its frames", {
  skip,
  timeout: 60_000,
}, () => {
  assert.deepEqual(loggedFunctions("--compile", "--minify-whitespace", "--minify-syntax"), [
    ...[LATE, AT_ONCE, AT_ONCE, ASKED],
  ]);
});
