import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { process } from "./node_global.ts";

/** The file that this process was started with, if any. */
export function runningProgram(): string | null {
  const [, started] = process.argv;
  if (started === undefined) return null;
  try {
    return realpathSync(started);
  } catch {
    // Named without its extension.
    return resolve(started);
  }
}

/** Absolute, as the new process may have another working directory. */
export function programPath(program: string): string {
  return program.startsWith("file:") ? fileURLToPath(program) : resolve(program);
}
