/**
 * The workers of a module: processes all alike, of which a call goes to the one with the least to do.
 *
 * @module
 */

import type { ProcessStatus } from "../wire/status.ts";
import { workerPlan } from "../module/settings.ts";
import type { Setup } from "../wire/messages.ts";
import type { ChildSpec, ParentProcess } from "./child_spec.ts";
import { encodeRole, processName, type Role, ROLE_VARIABLE } from "./role.ts";
import type { Supervisor } from "./supervisor.ts";

export class Workers {
  readonly #workers: readonly Supervisor[];
  #last = 0;

  constructor(workers: readonly Supervisor[]) {
    this.#workers = workers;
  }

  /** Workers number 1 to `count`, not started yet. What a parent needs is loaded where there are workers. */
  static async make(count: number, spec: (number: number) => ChildSpec): Promise<Workers> {
    const { Supervisor } = await import("./supervisor.ts");
    return new Workers(Array.from({ length: count }, (_, index) => new Supervisor(spec(index + 1))));
  }

  /** Settles when each worker is ready or has failed. `admitted` is called when none waits for its start any more. */
  async start(admitted: () => void): Promise<void> {
    const started = this.#workers.map((worker) => worker.start().then(() => worker.settled()));
    void Promise.all(this.#workers.map((worker) => worker.admitted())).then(admitted);
    await Promise.all(started);
  }

  /** The module ends, and stops them soon. */
  expectEnd(): void {
    for (const worker of this.#workers) worker.expectEnd();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  /** Starts worker number `number` (from 1) again. */
  async restart(number: number): Promise<void> {
    await this.#workers[number - 1]?.restart();
  }

  /** The worker for the next call, or undefined where there is none at all. One that failed is only the last resort. */
  pick(): Supervisor | undefined {
    let best: Supervisor | undefined;
    const { length } = this.#workers;
    // Equals take turns.
    for (let step = 1; step <= length; step++) {
      const worker = this.#workers[(this.#last + step) % length];
      if (worker !== undefined && (best === undefined || rank(worker) < rank(best))) best = worker;
    }
    if (best !== undefined) this.#last = this.#workers.indexOf(best);
    return best;
  }

  want(events: readonly string[]): void {
    for (const worker of this.#workers) worker.tell({ kind: "wanted", events });
  }

  async status(): Promise<ProcessStatus[]> {
    return await Promise.all(this.#workers.map((worker) => worker.status()));
  }
}

function rank(worker: Supervisor): number {
  const { pending } = worker.caller;
  if (worker.state === "ready") return pending;
  return worker.state === "failed" || worker.state === "stopped" ? 2e9 + pending : 1e9 + pending;
}

export interface WorkerSpecOptions {
  readonly parent: ParentProcess;
  /** The role of the module's own process. */
  readonly role: Role;
  readonly program: string | undefined;
  readonly cwd: () => string;
  readonly setup: Setup;
  readonly collects: boolean;
}

/** A worker is made as its module was, with shorter deadlines. */
export function workerSpec(
  number: number,
  { parent, role, program, cwd, setup: { wanted: _, ...setup }, collects }: WorkerSpecOptions,
): ChildSpec {
  return {
    parent,
    name: processName(role.module, number),
    module: role.module,
    workers: 0,
    isWorker: () => false,
    program,
    cwd,
    env: (channel) => {
      const text = encodeRole({ ...role, worker: number, depth: role.depth + 1, channel, given: null });
      return { ...parent.runtime.env.all(), [ROLE_VARIABLE]: text };
    },
    collects,
    descendants: role.descendants,
    setup: { ...setup, supervision: workerPlan(setup.supervision) },
    goal: `Broker.start({ name: "${role.broker}" })`,
    runsProgram: role.load === null,
  };
}
