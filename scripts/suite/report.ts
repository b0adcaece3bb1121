/** What a run of the suite prints, and the sum that it ends with. */

import { skipLines } from "./reasons.ts";
import type { FileResult } from "./run_file.ts";
import type { RuntimeName } from "./runners.ts";

export interface Sum {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Entry {
  readonly runtime: RuntimeName;
  readonly path: string;
  readonly result: FileResult;
}

export class Report {
  readonly #entries: Entry[] = [];

  add(runtime: RuntimeName, path: string, result: FileResult): void {
    this.#entries.push({ runtime, path, result });
    const sum = sumText(countsOf([result]));
    const word = result.failed.length === 0 ? "ok  " : "FAIL";
    console.log(`${word} ${runtime.padEnd(4)} ${path}: ${sum} (${seconds(result.ms)})`);
    if (result.failed.length === 0) return;
    const failures = result.failed.map((name) => `failed: ${name}`);
    console.log(indent([result.output, ...failures].join("\n").trim()) + "\n");
  }

  /** Something that is no test file and failed, such as a compilation. */
  fail(runtime: RuntimeName, path: string, message: string): void {
    this.add(runtime, path, { passed: 0, failed: [message], skipped: [], output: "", ms: 0 });
  }

  sum(runtime?: RuntimeName): Sum {
    const chosen = this.#entries.filter((entry) => runtime === undefined || entry.runtime === runtime);
    return countsOf(chosen.map((entry) => entry.result));
  }

  /** Repeats what failed and what was skipped: the lines one looks for at the end. */
  summarize(): void {
    for (const { runtime, path, result } of this.#entries) {
      for (const name of result.failed) console.log(`failed: ${runtime} ${path}: ${name.split("\n", 1)[0]}`);
    }
    for (const line of skipLines(this.#entries)) console.log(line);
  }
}

/** `N passed, N failed`, and `, N skipped` where there are any. */
export function sumText(sum: Sum): string {
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  return `${sum.passed} passed, ${sum.failed} failed${skipped}`;
}

/** The numbers of the last line of `output` that is a sum, or null. */
export function readSum(output: string): Sum | null {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (last === undefined) return null;
  return { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "    ");
}

function countsOf(results: readonly FileResult[]): Sum {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const result of results) {
    passed += result.passed;
    failed += result.failed.length;
    skipped += result.skipped.length;
  }
  return { passed, failed, skipped };
}
