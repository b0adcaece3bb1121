/** One broker that is soaked, in one runtime. */

import { join } from "node:path";
import type { Change, SoakReport } from "../../tests/fixtures/soak/report.ts";
import { run } from "../command.ts";
import { MARK, newMark, sweep } from "../suite/leftovers.ts";
import type { Runner } from "../suite/runners.ts";

/** For the rests, which wait up to a minute for each thing that does not come. */
const GRACE_MS = 600_000;

export interface SoakResult {
  readonly runtime: string;
  /** Undefined where the broker ended before it could report. */
  readonly report: SoakReport | undefined;
  /** What is wrong, each in a line. */
  readonly failures: readonly string[];
}

export interface SoakOptions {
  /** Where the program stands, compiled or not. */
  readonly folder: string;
  readonly seed: number;
  readonly seconds: number;
}

export async function runSoak(runner: Runner, { folder, seed, seconds }: SoakOptions): Promise<SoakResult> {
  const program = join(folder, `tests/fixtures/soak/main.${runner.compiled ? "js" : "ts"}`);
  const mark = newMark();
  const file = await Deno.makeTempFile({ prefix: "brokkr-soak-", suffix: ".json" });
  try {
    const result = await run([...runner.program, program, String(seed), String(seconds), file], {
      deadlineMs: seconds * 2_000 + GRACE_MS,
      env: { [MARK]: mark },
      echo: (chunk) => void Deno.stderr.writeSync(chunk),
    });
    const left = await sweep(mark, 2_000);
    const text = await Deno.readTextFile(file);
    const runtime = `${runner.name} ${runner.version}`;
    if (text === "") {
      const how = result.timedOut ? "was killed at its deadline" : `ended with ${result.signal ?? result.code}`;
      return { runtime, report: undefined, failures: [`the broker ${how} without a report`, ...left] };
    }
    const report: SoakReport = JSON.parse(text);
    const badEnd = result.code === 0 ? [] : [`the broker ended with ${result.signal ?? result.code}`];
    return { runtime, report, failures: [...faultsOf(report), ...badEnd, ...left] };
  } finally {
    await Deno.remove(file);
  }
}

/** Descriptors that a runtime may open for itself meanwhile. */
const MORE_DESCRIPTORS = 2;
/** What live objects may grow by: traces of types, sources of code, what is remembered of the last calls. */
const MORE_HEAP_BYTES = 8 * 1024 * 1024;
/** What the engine's heap may swing by, however long the soak: a leak grows beyond it. */
const MORE_BYTES = 64 * 1024 * 1024;

export function faultsOf(report: SoakReport): string[] {
  const { descriptors, privateBytes, heapBytes } = report;
  return [
    ...report.failures,
    ...grown("descriptors", descriptors, MORE_DESCRIPTORS),
    ...grown("bytes of live objects", heapBytes, MORE_HEAP_BYTES),
    ...grown("bytes of private memory", privateBytes, MORE_BYTES),
  ];
}

function grown(what: string, { before, after }: SoakReport["descriptors"], most: number): string[] {
  if (before === null || after === null || after - before <= most) return [];
  return [`${what} grew from ${before} to ${after}, by more than ${most}`];
}

const COLUMNS = [
  "runtime",
  "calls by outcome",
  "faults by kind",
  "restarts",
  "streams",
  "wrong answers",
  "orphans",
  "zombies",
  "descriptors",
  "private memory",
  "longest recovery",
];

export function table(results: readonly SoakResult[]): string {
  return [COLUMNS, COLUMNS.map(() => "---"), ...results.map(row)].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function row({ runtime, report }: SoakResult): string[] {
  if (report === undefined) return [runtime, "no report", ...COLUMNS.slice(2).map(() => "")];
  return [
    runtime,
    counts(report.calls),
    counts(report.faults),
    report.restarts.toString(),
    `${report.streams} (${report.items} items)`,
    report.wrong.toString(),
    report.orphans.toString(),
    report.zombies.toString(),
    change(report.descriptors, (count) => count.toString()),
    change(report.privateBytes, (bytes) => `${(bytes / 1_048_576).toFixed(1)} MiB`),
    `${(report.longestRecoveryMs / 1000).toFixed(1)} s`,
  ];
}

/** The sum, and what it is made of, the most first. */
function counts(of: Readonly<Record<string, number>>): string {
  const parts = Object.entries(of).toSorted(([, a], [, b]) => b - a);
  const sum = parts.reduce((all, [, count]) => all + count, 0);
  return `${sum}: ${parts.map(([name, count]) => `${count} ${name}`).join(", ")}`;
}

function change({ before, after }: Change, show: (value: number) => string): string {
  return [before, after].map((value) => value === null ? "unknown" : show(value)).join(" → ");
}
