/**
 * One module's part of a cleanup: what is called for it, how long it took, what went wrong.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import { describeThrown } from "../call/describe_thrown.ts";
import { formatTimeout } from "../duration.ts";
import type { ModuleCleanup } from "../log/record.ts";
import { stackLines } from "../log/stack.ts";
import { isError } from "../thrown.ts";

export interface ReleaseOptions {
  readonly runtime: Runtime;
  readonly deadlineMs: number;
}

export interface Released extends ModuleCleanup {
  /** The first failure, for the log. */
  readonly failure: { readonly message: string; readonly stack: readonly string[] } | null;
}

const LATE = Symbol("late");

/**
 * Calls `acts` one after the other, whatever each of them does. They share one deadline: what is late is not waited for, and
 * what comes after is still called. Never rejects.
 */
export async function release(
  name: string,
  acts: readonly (() => unknown)[],
  { runtime, deadlineMs }: ReleaseOptions,
): Promise<Released> {
  const { clock } = runtime;
  const start = clock.now();
  const errors: unknown[] = [];
  let isLate = false;
  let clear: (() => void) | undefined;
  const late = new Promise<typeof LATE>((resolve) => clear = clock.timer(deadlineMs, () => resolve(LATE)));
  for (const act of acts) {
    try {
      if (await Promise.race([act(), late]) !== LATE || isLate) continue;
      isLate = true;
      errors.push(new DeadlineError(`cleanup did not end in ${formatTimeout(deadlineMs)}`));
    } catch (error) {
      errors.push(error);
    }
  }
  clear?.();
  const failures = errors.map((error) => failureOf(error, runtime.ownFiles));
  const error = failures.length === 0 ? null : failures.map(({ message }) => message).join("; ");
  return { name, ms: clock.now() - start, error, failure: failures[0] ?? null };
}

class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

function failureOf(error: unknown, ownFiles: readonly string[]): NonNullable<Released["failure"]> {
  if (isError(error) && error instanceof DeadlineError) {
    return { message: error.message, stack: [`${error.name}: ${error.message}`] };
  }
  const thrown = describeThrown(error);
  return { message: thrown.message || thrown.name, stack: stackLines(thrown, ownFiles) };
}
