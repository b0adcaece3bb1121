/**
 * Clean after fork: in a new process, before anything else, releases what belongs to the others. Every hook runs on its own, in
 * time, and its error is logged and goes no further.
 */

import type { Runtime } from "../../runtime/runtime.ts";
import type { CleanupReceipt, ModuleCleanup, ResourceUsage } from "../wire/status.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Module, ModuleDefinition } from "../module/definition.ts";
import { claimedEnv, ownEnv } from "../settings/settings.ts";
import type { Role } from "./role.ts";
import { applyUser, isError, textOf } from "../user_code.ts";
import { Owned } from "../module/dispose.ts";
import { formatTimeout } from "../duration.ts";
import { describeThrown, stackLines } from "../log/stack.ts";

export const CLEANUP_DEADLINE_MS = 5_000;

export interface CleanupOptions {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly role: Role;
  /** All modules that this process loaded, in the order they were declared. */
  readonly modules: readonly Module[];
  readonly deadlineMs: number;
  /** Called before each module's cleanup with its name, and with null after the last. The cleanup waits for it. */
  readonly cleaning: (owner: string | null) => void | Promise<void>;
}

/**
 * Whether a process that loaded `modules`, its own among them, holds anything that is not its own. `own` is its module where it is
 * that module's worker.
 */
export function hasToClean(modules: readonly unknown[], own: Module | null): boolean {
  return modules.length > 1 || own?.definition.workers?.afterForkCleanup !== undefined;
}

/** Cleans this process. Never rejects. */
export async function cleanAfterFork(options: CleanupOptions): Promise<CleanupReceipt> {
  const { runtime, reporter, role } = options;
  const subject = { module: role.process };
  const start = runtime.clock.now();
  reporter.report("cleanup.start", {}, subject);
  const before = await resourceFigures(runtime);
  const modules: ModuleCleanup[] = [];
  const allowExit = runtime.refuseExit((code) =>
    new Error(`Cannot end the process in a cleanup: exit(${code === undefined ? "" : textOf(code)}) was called`)
  );
  for (const { owner, acts } of stepsOf(options)) {
    await options.cleaning(owner);
    const { failure, ...module } = await release(owner, acts, options);
    modules.push(module);
    if (failure !== null) reporter.report("cleanup.error", { owner, ...failure }, subject);
  }
  allowExit();
  void options.cleaning(null);
  removeForeignEnvironment(options);
  const hasCleaned = hadToClean(options);
  if (hasCleaned) await runtime.collectGarbage();
  const after = hasCleaned ? await resourceFigures(runtime) : before;
  const ms = runtime.clock.now() - start;
  reporter.report("cleanup.done", { ms }, subject);
  const released = modules.filter(({ error }) => error === null).map(({ name }) => name);
  const errors = modules.length - released.length;
  const isWanted = hasCleaned || reporter.wants("cleanup.receipt");
  const leftovers = isWanted ? await runtime.openHandles?.() ?? null : null;
  const receipt = { ms, released, errors, modules, leftovers, before, after };
  if (reporter.wants("cleanup.receipt")) reporter.report("cleanup.receipt", receipt, subject);
  return receipt;
}

/** False where nothing was there to clean: nothing has changed, and what is open is the module's own. */
function hadToClean({ modules, role }: CleanupOptions): boolean {
  const own = modules.find(({ name }) => name === role.module) ?? null;
  return hasToClean(modules, role.worker === null ? null : own);
}

interface Step {
  readonly owner: string;
  readonly acts: readonly (() => unknown)[];
}

/**
 * Last declared first: what was built on others goes before them. A worker also drops what only its module's process needs. What two
 * modules of one definition share is each one's own, and in the process of a third one it is released once.
 */
function stepsOf({ modules, role }: CleanupOptions): Step[] {
  const steps: Step[] = [];
  const before: ModuleDefinition[] = [];
  const released = new Set<ModuleDefinition>();
  const own = modules.find(({ name }) => name === role.module)?.definition;
  for (const { name: owner, definition } of modules.toReversed()) {
    const acts: (() => unknown)[] = [];
    let twin: ModuleDefinition | undefined;
    if (owner !== role.module) {
      const { afterForkCleanup, commands } = definition;
      twin = before.find((other) =>
        commands !== undefined && other.afterForkCleanup === afterForkCleanup && other.commands === commands
      );
      if (afterForkCleanup !== undefined && afterForkCleanup !== own?.afterForkCleanup && twin === undefined) {
        acts.push(() => applyUser(afterForkCleanup, definition, []));
      }
      const kept = [own, ...before].flatMap((other) => other?.owns ?? []);
      acts.push(...new Owned(definition.owns?.filter((resource) => !kept.includes(resource))).disposals());
      before.push(definition);
    } else if (role.worker !== null) {
      const { workers } = definition;
      const afterForkCleanup = workers?.afterForkCleanup;
      if (afterForkCleanup !== undefined) acts.push(() => applyUser(afterForkCleanup, workers, []));
    }
    // What was released with that of its twin is so too.
    if (acts.length === 0 && (twin === undefined || !released.has(twin))) continue;
    released.add(definition);
    steps.push({ owner, acts });
  }
  return steps;
}

/** Variables that other modules claimed, and this one did not. */
function removeForeignEnvironment({ runtime, modules, role }: CleanupOptions): void {
  const own = ownEnv(modules.find((module) => module.name === role.module)?.definition.env);
  for (const { name, definition } of modules) {
    if (name === role.module) continue;
    for (const variable of claimedEnv(definition.env)) if (!own.includes(variable)) runtime.env.remove(variable);
  }
}

async function resourceFigures(runtime: Runtime): Promise<ResourceUsage> {
  const [memory, openFiles] = await Promise.all([runtime.memory(runtime.pid), runtime.openFiles()]);
  return {
    pssBytes: memory.pssBytes,
    privateBytes: memory.privateBytes,
    heapBytes: runtime.heapBytes(),
    openFiles,
  };
}

interface Released extends ModuleCleanup {
  readonly failure: { readonly message: string; readonly stack: readonly string[] } | null;
}

const LATE = Symbol("late");

/**
 * Calls `acts` one after the other, whatever each of them does. They share one deadline: a late one is not awaited, and those
 * after it are still called. Never rejects.
 */
async function release(
  name: string,
  acts: readonly (() => unknown)[],
  { runtime, deadlineMs }: CleanupOptions,
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
