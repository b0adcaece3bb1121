/**
 * Clean after fork: in a new process, before anything else, releases what belongs to the others. Every hook runs on its own, in
 * time, and its error is told and goes no further.
 *
 * @module
 */

import type { Clock, Runtime } from "../../runtime/runtime.ts";
import { describeThrown } from "../call/wire_error.ts";
import { formatTimeout } from "../log/duration.ts";
import type { ResourceFigures } from "../log/record.ts";
import type { Reporter } from "../log/reporter.ts";
import { stackLines } from "../log/stack.ts";
import type { Module } from "../module.ts";
import type { Role } from "../role.ts";
import { isError } from "../thrown.ts";
import { dispose } from "./dispose.ts";

/** Time that each module's cleanup has. */
export const CLEANUP_DEADLINE_MS = 5_000;

/** What the cleanup released and what it gained. */
export interface CleanupReceipt {
  readonly ms: number;
  /** Modules whose cleanup went through. */
  readonly released: readonly string[];
  /** Modules whose cleanup failed. */
  readonly errors: number;
  readonly before: ResourceFigures;
  readonly after: ResourceFigures;
}

export interface CleanupOptions {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly role: Role;
  /** All modules that this process loaded, in the order they were declared. */
  readonly modules: readonly Module[];
  readonly deadlineMs: number;
}

/** Cleans this process. Never rejects. */
export async function cleanAfterFork(options: CleanupOptions): Promise<CleanupReceipt> {
  const { runtime, reporter, role } = options;
  const subject = { module: role.process };
  const start = runtime.clock.now();
  reporter.report("cleanup.start", {}, subject);
  const before = await resourceFigures(runtime);
  const released: string[] = [];
  let errors = 0;
  for (const step of stepsOf(options)) {
    const error = await runStep(step, options);
    if (error === null) released.push(step.owner);
    else {
      errors++;
      reporter.report("cleanup.error", { owner: step.owner, ...error }, subject);
    }
  }
  removeForeignEnvironment(options);
  await runtime.collectGarbage();
  const after = await resourceFigures(runtime);
  const ms = runtime.clock.now() - start;
  reporter.report("cleanup.done", { ms }, subject);
  const receipt = { ms, released, errors, before, after };
  if (reporter.wants("cleanup.receipt")) reporter.report("cleanup.receipt", receipt, subject);
  return receipt;
}

/** What is called for one module. */
interface Step {
  readonly owner: string;
  run(): Promise<void>;
}

/** Last declared first: what was built on others goes before them. A worker also drops what only its module's process needs. */
function stepsOf({ modules, role }: CleanupOptions): Step[] {
  const steps: Step[] = [];
  for (const { name, definition } of modules.toReversed()) {
    if (name === role.module) {
      const workers = definition.workers;
      if (role.worker !== null && workers?.afterForkCleanup !== undefined) {
        steps.push({ owner: name, run: () => callHook(() => workers.afterForkCleanup?.()) });
      }
      continue;
    }
    const owned = definition.owns ?? [];
    if (definition.afterForkCleanup === undefined && owned.length === 0) continue;
    steps.push({
      owner: name,
      run: async () => {
        const failures: unknown[] = [];
        const note = (error: unknown) => void failures.push(error);
        await callHook(() => definition.afterForkCleanup?.()).catch(note);
        for (const resource of owned) await dispose(resource).catch(note);
        if (failures.length > 0) throw failures[0];
      },
    });
  }
  return steps;
}

async function callHook(hook: () => unknown): Promise<void> {
  await hook();
}

async function runStep(
  step: Step,
  { runtime, deadlineMs }: CleanupOptions,
): Promise<{ message: string; stack: readonly string[] } | null> {
  try {
    await within(runtime.clock, deadlineMs, step.run());
    return null;
  } catch (error) {
    if (isError(error) && error instanceof DeadlineError) {
      return { message: error.message, stack: [`${error.name}: ${error.message}`] };
    }
    const thrown = describeThrown(error);
    return { message: thrown.message || thrown.name, stack: stackLines(thrown, runtime.ownFiles) };
  }
}

class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** Settles as `work` does, or rejects when `ms` are over; the work may go on, and its error is then nobody's. */
async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  let clear: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    clear = clock.timer(ms, () => reject(new DeadlineError(`cleanup did not end in ${formatTimeout(ms)}`)));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clear?.();
  }
}

/** Variables that other modules claimed, and this one did not. */
function removeForeignEnvironment({ runtime, modules, role }: CleanupOptions): void {
  const own = modules.find((module) => module.name === role.module)?.definition.env ?? [];
  for (const { name, definition } of modules) {
    if (name === role.module) continue;
    for (const variable of definition.env ?? []) if (!own.includes(variable)) runtime.env.remove(variable);
  }
}

async function resourceFigures(runtime: Runtime): Promise<ResourceFigures> {
  const [memory, openFiles] = await Promise.all([runtime.memory(runtime.pid), runtime.openFiles()]);
  return {
    pssBytes: memory.pssBytes,
    privateBytes: memory.privateBytes,
    heapBytes: runtime.heapBytes(),
    openFiles,
  };
}
