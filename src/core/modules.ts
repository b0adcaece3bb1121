/**
 * The modules of a broker: started, started again, replaced and stopped in order.
 *
 * @module
 */

import { UnknownModuleError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import { type BrokerPlan, type ModulePlan, orderedModule } from "./options.ts";
import { startOrder } from "./order.ts";
import { type SlotContext, slotOptions } from "./slot_options.ts";
import { ModuleSlot } from "./supervise/module_slot.ts";

/** A module that runs, and what it was started with. */
interface Running {
  readonly slot: ModuleSlot;
  plan: ModulePlan;
}

export class Modules {
  /** In the order of their start. */
  readonly #running = new Map<string, Running>();
  readonly #declared: readonly string[];
  /** Modules that were not started because one before them has failed. */
  readonly #held = new Set<Running>();
  #stopping = false;

  constructor(plan: BrokerPlan, context: Omit<SlotContext, "plan">) {
    const plans = new Map(plan.modules.map((module) => [module.module.name, module]));
    this.#declared = [...plans.keys()];
    for (const name of startOrder(plan.modules.map(orderedModule))) {
      const module = plans.get(name);
      if (module === undefined) continue;
      const { workers, options } = slotOptions(module, { ...context, plan });
      this.#running.set(name, { slot: new ModuleSlot(name, workers, options), plan: module });
    }
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
    const running = this.#running.get(name);
    if (running !== undefined) return running.slot;
    throw new UnknownModuleError({ target: name, command }, { nearest: nearest(name, this.#running.keys()) });
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

  /** Replaces one module's process by a new one, or those of all modules one after the other. @throws {UnknownModuleError} */
  async reload(name?: string): Promise<void> {
    const slots = name === undefined
      ? [...this.#running.values()].map(({ slot }) => slot)
      : [this.slot(name, "reload")];
    for (const slot of slots) if (!this.#stopping) await slot.replace("reload");
    await this.#startHeld();
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
