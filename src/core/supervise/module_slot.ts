/**
 * A module from the broker's side: its process, and what that says of its workers.
 *
 * @module
 */

import type { ModuleStatus, ProcessStatus } from "../status.ts";
import { processName } from "../role.ts";
import { Supervised } from "./supervised.ts";
import type { SupervisedOptions } from "./supervised_options.ts";

/** How long a module may take to tell of its workers before the last known is shown. */
const STATUS_MS = 500;

export class ModuleSlot {
  readonly name: string;
  readonly process: Supervised;
  readonly #workerCount: number | null;
  readonly #options: Omit<SupervisedOptions, "onStatus">;
  readonly #requests = new Map<number, () => void>();
  #workers: readonly ProcessStatus[] = [];
  #lastRequest = 0;
  #stopping: Promise<void> | undefined;

  /** @param workerCount null where only the module's own process knows it. */
  constructor(name: string, workerCount: number | null, options: Omit<SupervisedOptions, "onStatus">) {
    this.name = name;
    this.#workerCount = workerCount;
    this.#options = options;
    this.process = new Supervised({
      ...options,
      onStatus: (request, workers) => {
        this.#workers = workers;
        this.#requests.get(request)?.();
      },
    });
  }

  /** Drains the module's process; who asks meanwhile waits for the same end. */
  async stop(): Promise<void> {
    this.#stopping ??= this.process.stop().finally(() => this.#stopping = undefined);
    await this.#stopping;
  }

  /** The number of the worker of that name, or null. */
  async workerNumber(name: string): Promise<number | null> {
    const number = Number(name.startsWith(`${this.name}-`) ? name.slice(this.name.length + 1) : NaN);
    if (!Number.isInteger(number) || number < 1 || processName(this.name, number) !== name) return null;
    if (this.#workerCount !== null) return number <= this.#workerCount ? number : null;
    await this.#askForWorkers();
    return this.#workers.some((worker) => worker.name === name) ? number : null;
  }

  async status(): Promise<ModuleStatus> {
    const [status] = await Promise.all([this.process.status(), this.#askForWorkers()]);
    return { ...status, workers: this.#workers };
  }

  async #askForWorkers(): Promise<void> {
    if (this.#workerCount === 0 || this.process.state !== "ready") return;
    const request = ++this.#lastRequest;
    await new Promise<void>((resolve) => {
      const clear = this.#options.runtime.clock.timer(STATUS_MS, resolve);
      this.#requests.set(request, () => {
        clear();
        resolve();
      });
      this.process.tell({ kind: "status", request });
    });
    this.#requests.delete(request);
  }
}
