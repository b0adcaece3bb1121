/** One broker that is soaked, in one runtime. */

import { join } from "node:path";
import type { SoakReport } from "../../tests/fixtures/soak/report.ts";
import { run } from "../command.ts";
import { MARK, newMark, sweep } from "../suite/leftovers.ts";
import type { Runner } from "../suite/runners.ts";
import { faultsOf } from "./verdict.ts";

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
