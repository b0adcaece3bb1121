import { failureCode, failureReason } from "./failure_reason.ts";

export interface SpawnFailure {
  /** What was to be started. */
  readonly what: string;
  readonly cause: unknown;
  readonly cwd: string | undefined;
  readonly cwdExists: boolean;
}

/** Why the executable of a command could not be started. It stays so until someone changes something. */
class CommandError extends Error {
  readonly lasting = true;
}

/** Why a process could not be created, in words that say what to do. */
export function spawnError({ what, cause, cwd, cwdExists }: SpawnFailure): Error {
  if (cwd !== undefined && !cwdExists) {
    return new Error(
      `Cannot start ${what}: working directory "${cwd}" does not exist, create it or correct "cwd"`,
      { cause },
    );
  }
  const isLasting = what.startsWith("command ") && LASTING.has(failureCode(cause));
  const Class = isLasting ? CommandError : Error;
  return new Class(`Cannot start ${what}: ${reason(cause)}`, { cause });
}

const LASTING: ReadonlySet<string | undefined> = new Set(["ENOENT", "EACCES"]);

function reason(cause: unknown): string {
  switch (failureCode(cause)) {
    case "ENOENT":
      return "the executable does not exist, install it or correct its path";
    case "EACCES":
      return "the executable may not be run, check its mode";
    case "E2BIG":
      return "arguments and environment are too long, shorten them";
    default:
      return failureReason(cause);
  }
}
