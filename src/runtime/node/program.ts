import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { process } from "./global.ts";
import { fromOrigin } from "../posix/origin.ts";

/** The file that this process was started with, if any. */
export function runningProgram(): string | null {
  const [, started] = process.argv;
  if (started === undefined) return null;
  try {
    return realpathSync(started);
  } catch {
    // Named without its extension.
    return fromOrigin(started);
  }
}

/** Absolute, as the new process may have another working directory. */
export function programPath(program: string): string {
  return program.startsWith("file:") ? fileURLToPath(program) : fromOrigin(program);
}
