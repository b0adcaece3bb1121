/** The TypeScript compiler of the lock file, run by the Deno that runs this script. */

import { join } from "node:path";
import { DEV, run } from "./command.ts";

const COMPILER = join(DEV, "node_modules/typescript/bin/tsc");

/** Compiles `project` with further `flags`; gives the compiler's messages, empty when there are none. */
export async function tsc(project: string, ...flags: string[]): Promise<string> {
  const result = await run([Deno.execPath(), "run", "-A", COMPILER, "-p", project, "--pretty", "false", ...flags]);
  if (result.code === 0) return "";
  return result.output.trim() || `tsc ended with exit code ${result.code} and no message`;
}
