/** One soak in one runtime: the program of tests/fixtures/soak, and what it printed. */

import { join } from "node:path";
import { ROOT } from "../command.ts";
import type { RuntimeName } from "../suite/runners.ts";

/** What `tests/fixtures/soak/main.ts` prints. */
export interface Soaked {
  readonly calls: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly restarts: number;
  /** Lines of output that were left out. */
  readonly dropped: number;
  readonly wrong: readonly string[];
  readonly left: { readonly orphans: number; readonly zombies: number };
  /** The lowest figures of the broker's process in the first half and in the second. */
  readonly early: Figures;
  readonly late: Figures;
}

export interface Figures {
  readonly files: number;
  readonly bytes: number;
}

const COMMANDS: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: [Deno.execPath(), "run", "-A", "--no-check"],
  node: ["node"],
  bun: [join(ROOT, "node_modules/bun/bin/bun.exe")],
};

export interface SoakOptions {
  /** Folder of the compiled suite. */
  readonly folder: string;
  readonly seconds: number;
  readonly seed: number;
}

/** @throws where the program failed or printed something else. */
export async function soak(runtime: RuntimeName, { folder, seconds, seed }: SoakOptions): Promise<Soaked> {
  const file = runtime === "deno"
    ? join(ROOT, "tests/fixtures/soak/main.ts")
    : join(folder, "tests/fixtures/soak/main.js");
  const [command = "", ...args] = COMMANDS[runtime];
  const { stdout, success } = await new Deno.Command(command, {
    args: [...args, file, String(seconds), String(seed), `soak-${Deno.pid}-${runtime}`],
    stdin: "null",
    stderr: "inherit",
    // It ends by itself; where it hangs, so that this is seen.
    signal: AbortSignal.timeout((seconds + 180) * 1_000),
  }).output();
  if (!success) throw new Error(`The soak in ${runtime} failed, see above`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What is not as it must be, in words; empty where all is well. */
export function complaints({ wrong, left, early, late, outcomes }: Soaked): string[] {
  const found = [...wrong];
  if ((outcomes["answered"] ?? 0) === 0) found.push("no call was answered");
  if (left.orphans > 0) found.push(`${left.orphans} processes are left`);
  if (left.zombies > 0) found.push(`${left.zombies} zombies are left`);
  if (late.files > early.files + 8) found.push(`descriptors grew from ${early.files} to ${late.files}`);
  if (late.bytes > early.bytes * 1.5 + 64 * 1024 * 1024) {
    found.push(`memory grew from ${mebibytes(early.bytes)} to ${mebibytes(late.bytes)}`);
  }
  return found;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}
