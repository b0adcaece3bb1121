/**
 * The modules of a broker: started, started again, replaced and stopped in order.
 *
 * @module
 */

import { UnknownModuleError } from "../errors/mod.ts";
import { nearest } from "../nearest.ts";
import type { EventFields } from "../log/record.ts";
import type { Caller } from "../call/caller.ts";
import { type BrokerPlan, type ModulePlan, orderedModule } from "./options.ts";
import { startOrder } from "./order.ts";
import { checkConfinement } from "../module/permissions.ts";
import { type SlotContext, slotOptions } from "./slot_options.ts";
import { ModuleSlot } from "../supervise/module_slot.ts";

/** A module that runs, and what it was started with. */
interface Running {
  readonly slot: ModuleSlot;
  plan: ModulePlan;
  /** Tells whether its settings have changed. */
  signature: string | undefined;
}

/** Who makes the calls to a module, and what holds for those that say nothing else. */
export interface Route {
  readonly target: string;
  readonly caller: Caller;
  readonly defaults: Pick<BrokerPlan, "timeoutMs" | "retry">;
  /** Whether the module is a program of another language. */
  readonly isProgram: boolean;
}

/** What a changed configuration came to, in numbers of modules. */
export type Changes = Pick<EventFields["broker.reloaded"], "replaced" | "kept" | "added" | "removed">;

export class Modules {
  /** In the order of their start. */
  #running = new Map<string, Running>();
  #defaults: Route["defaults"];
  /** To the module that was called last: mostly the next call goes there, too. Until the plan changes. */
  #recent: Route | undefined;
  #declared: readonly string[];
  /** Modules that were not started because one before them has failed. */
  readonly #held = new Set<Running>();
  #stopping = false;

  constructor(context: SlotContext) {
    this.#defaults = context.plan;
    this.#declared = context.plan.modules.map(({ module }) => module.name);
    for (const plan of inOrder(context)) this.#add(plan, context);
  }

  /** In the order in which they were declared. */
  *slots(): Iterable<ModuleSlot> {
    for (const name of this.#declared) {
      const running = this.#running.get(name);
      if (running !== undefined) yield running.slot;
    }
  }

  /** @param command what is asked of it, for the error. @throws {UnknownModuleError} */
  slot(name: string, command: string): ModuleSlot {
    return this.#find(name, command).slot;
  }

  /** @throws {UnknownModuleError} */
  route(target: string, command: string): Route {
    const recent = this.#recent;
    return recent !== undefined && recent.target === target ? recent : this.#routeTo(target, command);
  }

  /** Starts each module when those before it are ready; settles when each is ready or has failed its first start. */
  async start(): Promise<void> {
    await this.#start([...this.#running.values()]);
  }

  /** Drains every module, the last one started first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { slot } of [...this.#running.values()].toReversed()) await slot.stop();
  }

  /** Starts one module or worker again, or all modules one after the other. @throws {UnknownModuleError} */
  async restart(name?: string): Promise<void> {
    if (name === undefined) {
      for (const { slot } of this.#running.values()) await slot.process.restart();
      return;
    }
    // Without a wait for a module's own name, so that what is called next goes to the new process.
    const worker = this.#running.has(name) ? undefined : await this.#worker(name);
    if (worker !== undefined) return await worker.slot.restartWorker(worker.number);
    await this.slot(name, "restart").process.restart();
    await this.#startHeld();
  }

  /**
   * Replaces one module's process by a new one, or those of all modules one after the other. Settles with the names of those whose
   * new process did not come up.
   *
   * @throws {UnknownModuleError}
   */
  async reload(name?: string): Promise<string[]> {
    const slots = name === undefined
      ? [...this.#running.values()].map(({ slot }) => slot)
      : [this.slot(name, "reload")];
    const kept: string[] = [];
    for (const slot of slots) if (!this.#stopping && !await slot.replace("reload")) kept.push(slot.name);
    await this.#startHeld();
    return kept;
  }

  /** Makes the modules those of another plan. Settles when all of it is done. */
  async follow(context: SlotContext): Promise<Changes> {
    const before = this.#running;
    this.#defaults = context.plan;
    this.#recent = undefined;
    const changes = { replaced: 0, kept: 0, added: 0, removed: 0 };
    const plans = inOrder(context);
    this.#declared = context.plan.modules.map(({ module }) => module.name);
    this.#running = new Map();
    for (const plan of plans) {
      const running = before.get(plan.module.name);
      if (running === undefined) this.#add(plan, context);
      else this.#running.set(plan.module.name, running);
    }
    for (const plan of plans) {
      const running = this.#running.get(plan.module.name);
      if (running === undefined || this.#stopping) continue;
      const isNew = !before.has(plan.module.name);
      if (isNew) await this.#startOne(running);
      const change = isNew ? "added" : await this.#change(running, plan, context);
      if (change !== null) changes[change]++;
    }
    const gone = [...before.values()].filter(({ slot }) => !this.#running.has(slot.name));
    for (const { slot } of gone.toReversed()) await slot.stop();
    return { ...changes, removed: gone.length };
  }

  #find(name: string, command: string): Running {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    throw new UnknownModuleError({ target: name, command }, { nearest: nearest(name, this.#running.keys()) });
  }

  /** Calls of a program are never retried. */
  #routeTo(target: string, command: string): Route {
    const { slot, plan } = this.#find(target, command);
    const isProgram = plan.module.program !== undefined;
    const { timeoutMs, retry } = this.#defaults;
    const defaults = { timeoutMs, retry: isProgram ? "never" : retry } as const;
    return this.#recent = { target, caller: slot.process.caller, defaults, isProgram };
  }

  async #change(running: Running, plan: ModulePlan, context: SlotContext): Promise<"replaced" | "kept" | null> {
    const { slot } = running;
    const parts = slotOptions(plan, context);
    const signature = context.seat.signature?.(slot.name);
    const hasChanged = signature !== running.signature;
    if (!hasChanged) slot.follow(parts);
    else if (!await slot.replace("its settings have changed", parts)) return "kept";
    running.plan = plan;
    this.#recent = undefined;
    running.signature = signature;
    return hasChanged ? "replaced" : null;
  }

  #add(plan: ModulePlan, context: SlotContext): void {
    const { name } = plan.module;
    const slot = new ModuleSlot(name, slotOptions(plan, context));
    this.#running.set(name, { slot, plan, signature: context.seat.signature?.(name) });
  }

  async #start(all: readonly Running[]): Promise<void> {
    const started = new Map<string, Promise<void>>();
    for (const running of all) {
      const before = (running.plan.settings.after ?? []).map((name) => started.get(name));
      started.set(running.slot.name, Promise.all(before).then(() => this.#startOne(running)));
    }
    await Promise.all(started.values());
  }

  async #startOne(running: Running): Promise<void> {
    const { slot, plan } = running;
    if (this.#stopping) return;
    this.#held.delete(running);
    const failed = (plan.settings.after ?? []).find((name) => this.#running.get(name)?.slot.process.state === "failed");
    if (failed === undefined) return await slot.process.start();
    this.#held.add(running);
    slot.process.failToStart(`it starts after "${failed}", which has failed`);
  }

  /** Those that waited for a module that is ready now. */
  async #startHeld(): Promise<void> {
    const isReady = (name: string) => this.#running.get(name)?.slot.process.state === "ready";
    const free = [...this.#held].filter(({ plan }) => (plan.settings.after ?? []).every(isReady));
    for (const running of free) {
      this.#held.delete(running);
      if (running.slot.process.state === "failed") await running.slot.process.restart();
    }
    if (free.length > 0) await this.#startHeld();
  }

  async #worker(name: string): Promise<{ slot: ModuleSlot; number: number } | undefined> {
    for (const slot of this.slots()) {
      const number = await slot.workerNumber(name);
      if (number !== null) return { slot, number };
    }
    return undefined;
  }
}

function inOrder({ plan, seat }: SlotContext): ModulePlan[] {
  checkConfinement(plan.modules, seat.runtime);
  const byName = new Map(plan.modules.map((module) => [module.module.name, module]));
  return startOrder(plan.modules.map(orderedModule)).flatMap((name) => byName.get(name) ?? []);
}
