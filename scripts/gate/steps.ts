/** Steps of the gate: each is run whatever became of the others, printed with its time, and counted. */

import { type CommandOptions, run } from "../command.ts";
import { indent, readSum, seconds, type Sum, sumText } from "../suite/report.ts";

/** About twice what either tier takes on two processors with nothing else to do. */
const SUITE_DEADLINE_MS = 25 * 60_000;

export class Steps {
  #sum: Sum = { passed: 0, failed: 0, skipped: 0 };

  get sum(): Sum {
    return this.#sum;
  }

  /** Runs `action`, which gives what went wrong, or an empty text when nothing did. */
  async step(name: string, action: () => Promise<string>): Promise<boolean> {
    const started = performance.now();
    const wrong = await action().catch(describe);
    const passed = wrong === "";
    console.log(`${passed ? "ok  " : "FAIL"} ${name} (${seconds(performance.now() - started)})`);
    if (!passed) console.log(indent(wrong) + "\n");
    this.#add({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });
    return passed;
  }

  skip(name: string, reason: string): void {
    console.log(`skip ${name}: ${reason}`);
    this.#add({ passed: 0, failed: 0, skipped: 1 });
  }

  /** Runs the suite, shows what it prints, and adds the sum that it ends with. */
  async suite(command: readonly string[]): Promise<void> {
    const started = performance.now();
    const name = command.join(" ");
    const echo = (chunk: Uint8Array) => Deno.stdout.writeSync(chunk);
    let sum: Sum | null = null;
    const wrong = await run(command, { deadlineMs: SUITE_DEADLINE_MS, echo }).then((result) => {
      sum = readSum(result.output);
      const agrees = sum !== null && (result.code === 0) === (sum.failed === 0);
      return agrees ? "" : `${name} ended with ${ending(result)}, and its last sum is ${sum && sumText(sum)}`;
    }).catch(describe);
    this.#add(sum ?? { passed: 0, failed: 0, skipped: 0 });
    if (wrong !== "") this.#add({ passed: 0, failed: 1, skipped: 0 });
    console.log(
      `${wrong === "" ? "done" : "FAIL"} ${name} (${seconds(performance.now() - started)})\n${indent(wrong)}`,
    );
  }

  #add(sum: Sum): void {
    this.#sum = {
      passed: this.#sum.passed + sum.passed,
      failed: this.#sum.failed + sum.failed,
      skipped: this.#sum.skipped + sum.skipped,
    };
  }
}

/** Runs `command`; gives its output and how it ended when it failed, else an empty text. */
export async function expectSuccess(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(command, options);
  if (result.code === 0 && !result.timedOut) return "";
  return `${result.output.trim()}\n${command.join(" ")} ended with ${ending(result)}`.trim();
}

function ending(result: { code: number; signal: string | null; timedOut: boolean }): string {
  if (result.timedOut) return "its deadline";
  return result.signal ?? `exit code ${result.code}`;
}

function describe(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return `${error.message}; install Node 20.19 or later with npm and npx`;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
