/** One test file in one runtime: a process of its own, so that whatever it does to its process is its own failure. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type CommandResult, DEV, ROOT, run } from "../command.ts";
import { parseJunit, type TestOutcome } from "./junit.ts";
import { MARK, newMark, sweep } from "./leftovers.ts";
import { withReasons } from "./reasons.ts";
import type { Runner } from "./runners.ts";

const ENTRY = join(ROOT, "scripts/suite/entry.mjs");
/** As `deno task` does it for the packages of the root. */
const PATH = `${join(DEV, "node_modules/.bin")}:${Deno.env.get("PATH") ?? ""}`;
const OWN_TESTS = "brokkr: ";

export interface FileResult {
  readonly passed: number;
  readonly skipped: readonly TestOutcome[];
  /** Names of tests that failed, and what else is wrong with the file. */
  readonly failed: readonly string[];
  readonly output: string;
  readonly ms: number;
}

export async function runFile(runner: Runner, path: string, deadlineMs: number): Promise<FileResult> {
  const started = performance.now();
  const mark = newMark();
  const junit = await Deno.makeTempFile({ prefix: "brokkr-", suffix: ".xml" });
  const reasons = await Deno.makeTempFile({ prefix: "brokkr-", suffix: ".reasons" });
  try {
    const result = await run(runner.command(ENTRY, junit), {
      deadlineMs,
      env: { PATH, BROKKR_TEST_FILE: pathToFileURL(path).href, BROKKR_TEST_REASONS: reasons, [MARK]: mark },
    });
    const left = await sweep(mark, result.timedOut ? 0 : 2_000);
    const tests = parseJunit(await Deno.readTextFile(junit).catch(() => ""), runner);
    const own = withReasons(tests, await Deno.readTextFile(reasons)).filter(({ name }) => !name.startsWith(OWN_TESTS));
    return {
      passed: own.filter((test) => test.outcome === "passed").length,
      skipped: own.filter((test) => test.outcome === "skipped"),
      failed: [
        ...own.filter((test) => test.outcome === "failed").map((test) => test.name),
        ...own.filter(isUnexplained).map(({ name }) => `${name}: skipped without a reason, use { skip: "why" }`),
        ...faults(result, tests),
        ...(result.timedOut ? [] : left),
      ],
      output: result.output,
      ms: performance.now() - started,
    };
  } finally {
    await Deno.remove(junit);
    await Deno.remove(reasons);
  }
}

function isUnexplained({ outcome, reason }: TestOutcome): boolean {
  return outcome === "skipped" && reason === "";
}

/** What is wrong with the file beside its failed tests. */
function faults(result: CommandResult, tests: readonly TestOutcome[]): string[] {
  if (result.timedOut) return [`the file did not end within its deadline and was killed`];
  const how = result.signal === null ? `exit code ${result.code}` : result.signal;
  const ended = tests.some((test) => test.name === `${OWN_TESTS}end of the file` && test.outcome === "passed");
  if (tests.some((test) => test.outcome === "failed")) return [];
  if (!ended) return [`the process ended before the file's last test (${how})`];
  if (result.code !== 0) return [`the process ended with ${how}, though no test failed`];
  return tests.length > 2 ? [] : ["the file has no test"];
}
