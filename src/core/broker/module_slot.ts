/**
 * A module from the broker's side: its process, and what that reports of its workers.
 *
 * @module
 */

import type { ChildSpec } from "../child/child_spec.ts";
import { processName } from "../child/role.ts";
import { Supervisor } from "../child/supervisor.ts";
import type { ModuleStatus } from "./status.ts";
import type { ProcessStatus } from "../wire/status.ts";

/** How long a module may take to report its workers before the last known are shown. */
const STATUS_MS = 500;

export class ModuleSlot {
  readonly name: string;
  readonly process: Supervisor;
  #spec: ChildSpec;
  readonly #requests = new Map<number, () => void>();
  #workers: readonly ProcessStatus[] = [];
  #lastRequest = 0;
  #stopping: Promise<void> | undefined;

  /** @param failed the process will not be started again; `spec` is the one that it had last. */
  constructor(spec: ChildSpec, failed: (spec: ChildSpec) => void) {
    this.name = spec.name;
    this.#spec = spec;
    this.process = new Supervisor(spec, {
      status: (request, workers) => {
        this.#workers = workers;
        this.#requests.get(request)?.();
      },
      ended: () => {
        for (const settle of this.#requests.values()) settle();
      },
      failed: () => failed(this.process.spec),
    });
  }

  /** Puts a new process in the place of the module's own. False where that did not come up and the old one was kept. */
  async replace(reason: string, changed?: ChildSpec): Promise<boolean> {
    // A copy, so that a start that is under way is not taken for this one.
    const spec = changed ?? { ...this.#spec };
    const wasReplaced = await this.process.replace(reason, { spec });
    if (wasReplaced) this.#spec = spec;
    return wasReplaced;
  }

  /** From the next start on the module's own process is made with `spec`. */
  follow(spec: ChildSpec): void {
    this.#spec = spec;
    this.process.follow(spec);
  }

  /** Drains the module's process; others that ask meanwhile wait for the same end. */
  async stop(): Promise<void> {
    this.#stopping ??= this.process.stop().finally(() => this.#stopping = undefined);
    await this.#stopping;
  }

  /** The number of the worker of that name, or null. */
  async workerNumber(name: string): Promise<number | null> {
    const number = Number(name.startsWith(`${this.name}-`) ? name.slice(this.name.length + 1) : NaN);
    if (!Number.isInteger(number) || number < 1 || processName(this.name, number) !== name) return null;
    const { workers } = this.#spec;
    if (workers !== null) return number <= workers ? number : null;
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
    if (this.#spec.workers === 0 || this.process.state !== "ready") return;
    await this.#answered((request) => {
      this.process.tell({ kind: "status", request });
      return this.#spec.parent.runtime.clock.timer(STATUS_MS, () => this.#requests.get(request)?.());
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
