/**
 * The modules of a broker: started, started again and stopped in order.
 *
 * @module
 */

import { UnknownModuleError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import type { BrokerPlan } from "./options.ts";
import { type SlotContext, slotOptions } from "./slot_options.ts";
import { ModuleSlot } from "./supervise/module_slot.ts";

export class Modules {
  readonly #slots = new Map<string, ModuleSlot>();

  constructor(plan: BrokerPlan, context: Omit<SlotContext, "plan">) {
    for (const module of plan.modules) {
      const { workers, options } = slotOptions(module, { ...context, plan });
      this.#slots.set(module.module.name, new ModuleSlot(module.module.name, workers, options));
    }
  }

  slots(): Iterable<ModuleSlot> {
    return this.#slots.values();
  }

  /** @param command what is asked of it, for the error. @throws {UnknownModuleError} */
  slot(name: string, command: string): ModuleSlot {
    const slot = this.#slots.get(name);
    if (slot !== undefined) return slot;
    throw new UnknownModuleError({ target: name, command }, { nearest: nearest(name, this.#slots.keys()) });
  }

  /** Settles when each module is ready or has failed its first start. */
  async start(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.process.start()));
  }

  /** Drains every module, the last one first. */
  async stop(): Promise<void> {
    for (const slot of [...this.#slots.values()].toReversed()) await slot.stop();
  }

  /** Starts one module or worker again, or all modules one after the other. @throws {UnknownModuleError} */
  async restart(name?: string): Promise<void> {
    if (name === undefined) {
      for (const slot of this.#slots.values()) await slot.process.restart();
      return;
    }
    const worker = this.#slots.has(name) ? undefined : await this.#worker(name);
    if (worker === undefined) await this.slot(name, "restart").process.restart();
    else await worker.slot.restartWorker(worker.number);
  }

  async #worker(name: string): Promise<{ slot: ModuleSlot; number: number } | undefined> {
    for (const slot of this.#slots.values()) {
      const number = await slot.workerNumber(name);
      if (number !== null) return { slot, number };
    }
    return undefined;
  }
}
