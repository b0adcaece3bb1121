/**
 * A module from the broker's side: its process, and what that says of its workers.
 *
 * @module
 */

import type { ModuleStatus } from "../broker/status.ts";
import type { ProcessStatus } from "../wire/status.ts";
import { processName } from "./role.ts";
import { Supervised } from "./supervised.ts";
import type { SupervisedOptions } from "./supervised_options.ts";

/** How long a module may take to tell of its workers before the last known is shown. */
const STATUS_MS = 500;

export type SlotOptions = Omit<SupervisedOptions, "onStatus" | "onEnded">;

export interface SlotParts {
  /** How many workers it has, or null where only the module's own process knows it. */
  readonly workers: number | null;
  readonly options: SlotOptions;
}

export class ModuleSlot {
  readonly name: string;
  readonly process: Supervised;
  #workerCount: number | null;
  #options: SlotOptions;
  readonly #requests = new Map<number, () => void>();
  #workers: readonly ProcessStatus[] = [];
  #lastRequest = 0;
  #stopping: Promise<void> | undefined;

  constructor(name: string, { workers, options }: SlotParts) {
    this.name = name;
    this.#workerCount = workers;
    this.#options = options;
    this.process = new Supervised(this.#supervised(options));
  }

  /** Puts a new process in the place of the module's own. False where that did not come up and the old one was kept. */
  async replace(reason: string, made?: SlotParts): Promise<boolean> {
    const { workers, options } = made ?? { workers: this.#workerCount, options: this.#options };
    const wasReplaced = await this.process.replace(reason, { options: this.#supervised(options) });
    if (wasReplaced) [this.#workerCount, this.#options] = [workers, options];
    return wasReplaced;
  }

  /** From the next start on the module's own process is made with these. */
  follow({ workers, options }: SlotParts): void {
    [this.#workerCount, this.#options] = [workers, options];
    this.process.follow(this.#supervised(options));
  }

  #supervised(options: SlotOptions): SupervisedOptions {
    return {
      ...options,
      onStatus: (request, workers) => {
        this.#workers = workers;
        this.#requests.get(request)?.();
      },
      onEnded: () => {
        for (const settle of this.#requests.values()) settle();
      },
    };
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

  /** Starts worker number `number` again; settles when it is ready, or that start has ended. */
  async restartWorker(number: number): Promise<void> {
    await this.process.tried();
    // Workers come up with their module.
    if (this.process.state !== "ready") return await this.process.restart();
    await this.#answered((request) => {
      this.process.tell({ kind: "restart", worker: number, request });
      return () => {};
    });
  }

  async status(): Promise<ModuleStatus> {
    const [status] = await Promise.all([this.process.status(), this.#askForWorkers()]);
    return { ...status, workers: this.#workers };
  }

  async #askForWorkers(): Promise<void> {
    if (this.#workerCount === 0 || this.process.state !== "ready") return;
    await this.#answered((request) => {
      this.process.tell({ kind: "status", request });
      return this.#options.runtime.clock.timer(STATUS_MS, () => this.#requests.get(request)?.());
    });
  }

  /** Settles when the module has answered what `ask` asks, or its process has ended. What `ask` returns is run then. */
  async #answered(ask: (request: number) => () => void): Promise<void> {
    const request = ++this.#lastRequest;
    const answered = new Promise<void>((resolve) => this.#requests.set(request, resolve));
    const done = ask(request);
    await answered;
    done();
    this.#requests.delete(request);
  }
}
