/** The workers of a module: processes all alike; a call goes to the one with the least to do. */

import type { Clock } from "../../runtime/runtime.ts";
import { sleep } from "../duration.ts";
import type { ProcessStatus } from "../wire/status.ts";
import { workerPlan } from "../settings/settings.ts";
import type { ControlFromChild, ControlFromParent, Setup } from "../wire/messages.ts";
import type { ChildSpec, ParentProcess } from "./child_spec.ts";
import { encodeRole, processName, type Role, ROLE_VARIABLE } from "./role.ts";
import { type StartFolder, startFolder, type StartQueue } from "./starts.ts";
import { Supervisor } from "./supervisor.ts";

/** From one check to the next whether calls still wait for a worker that is not needed any more. */
const IDLE_CHECK_MS = 100;

export interface WorkersOptions {
  readonly parent: Omit<ParentProcess, "starts">;
  readonly role: Role;
  readonly program: string | undefined;
  readonly setup: Setup;
  readonly collects: boolean;
  /** Sends a message to the broker, which has the places for starts. */
  readonly send: (message: ControlFromChild) => void;
}

export class Workers {
  #workers: readonly Supervisor[] = [];
  readonly #spec: (number: number) => ChildSpec;
  readonly #clock: Clock;
  readonly #starts: BorrowedPlaces;
  /** Those that drain as there are too many. */
  readonly #surplus = new Set<Supervisor>();
  /** Changes of their number take turns. */
  #scaling: Promise<void> = Promise.resolve();
  #endExpected = false;
  #isStopped = false;
  #last = 0;

  constructor(count: number, options: WorkersOptions) {
    const { parent: { runtime, reporter }, role, program } = options;
    this.#clock = runtime.clock;
    this.#starts = new BorrowedPlaces(options.send);
    const folder = startFolder(runtime, {
      instead: () => [runtime.programFolder(role.load?.[0]?.[1] ?? program)],
      gone: (fields) => reporter.report("process.folder-gone", fields, { module: role.process }),
    });
    const parent = { ...options.parent, starts: this.#starts };
    const given = { ...options, parent, folder };
    this.#spec = (number) => workerSpec(number, given);
    this.#add(count);
  }

  get count(): number {
    return this.#workers.length;
  }

  /** Settles when each worker is ready or has failed. `admitted` is called when none waits for its start any more. */
  async start(admitted: () => void): Promise<void> {
    const started = this.#workers.map((worker) => worker.start().then(() => worker.settled()));
    void Promise.all(this.#workers.map((worker) => worker.admitted())).then(admitted);
    await Promise.all(started);
  }

  /**
   * Makes them `count`: settles when the new ones are ready, or that start has ended, and those that are too many have finished their
   * calls and ended.
   */
  async scale(count: number): Promise<void> {
    const turn = this.#scaling.then(() => this.#scale(count));
    this.#scaling = turn;
    await turn;
  }

  async #scale(count: number): Promise<void> {
    if (this.#isStopped) return;
    const started = this.#add(count).map((worker) => worker.start());
    const surplus = this.#workers.slice(count);
    // From now on no call goes to them.
    this.#workers = this.#workers.slice(0, count);
    await Promise.all([...started, ...surplus.map((worker) => this.#drain(worker))]);
  }

  /** Those that are missing to `count`, which are not started. */
  #add(count: number): Supervisor[] {
    const first = this.#workers.length + 1;
    const added = Array.from({ length: Math.max(0, count - first + 1) }, (_, at) => this.#newWorker(first + at));
    this.#workers = [...this.#workers, ...added];
    return added;
  }

  #newWorker(number: number): Supervisor {
    const worker = new Supervisor(this.#spec(number));
    if (this.#endExpected) worker.expectEnd();
    return worker;
  }

  /** Ends a worker that gets no calls any more, when those that it has are answered or its time for that is over. */
  async #drain(worker: Supervisor): Promise<void> {
    this.#surplus.add(worker);
    const until = this.#clock.now() + worker.spec.setup.supervision.drainMs;
    while (worker.caller.pending > 0 && this.#clock.now() < until && !this.#isStopped) {
      await sleep(this.#clock, IDLE_CHECK_MS);
    }
    await worker.stop();
    this.#surplus.delete(worker);
  }

  admitted(start: number): void {
    this.#starts.admitted(start);
  }

  expectEnd(): void {
    this.#endExpected = true;
    for (const worker of [...this.#workers, ...this.#surplus]) worker.expectEnd();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#workers, ...this.#surplus].map((worker) => worker.stop()));
  }

  async restart(number: number): Promise<void> {
    await this.#workers[number - 1]?.restart();
  }

  async inspect(number: number, open: boolean): Promise<string | null> {
    return await this.#workers[number - 1]?.inspect(open) ?? null;
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

  async status(): Promise<ProcessStatus[]> {
    return await Promise.all(this.#workers.map((worker) => worker.status()));
  }

  sendToAll(message: ControlFromParent): void {
    for (const worker of [...this.#workers, ...this.#surplus]) worker.sendToAll(message);
  }
}

function rank(worker: Supervisor): number {
  const { pending } = worker.caller;
  if (worker.state === "ready") return pending;
  return worker.state === "failed" || worker.state === "stopped" ? 2e9 + pending : 1e9 + pending;
}

/** A worker is made as its module was, with shorter deadlines. */
function workerSpec(
  number: number,
  options: WorkersOptions & { readonly parent: ParentProcess; readonly folder: StartFolder },
): ChildSpec {
  const { parent, role, program, folder, setup, collects } = options;
  const { frameLimit, cleanupMs, supervision, concurrency, queue, output } = setup;
  const name = processName(role.module, number);
  return {
    parent,
    name,
    module: role.module,
    workers: 0,
    isWorker: () => false,
    program,
    cwd: folder(name),
    env: (channel) => {
      const text = encodeRole({ ...role, worker: number, depth: role.depth + 1, channel, given: null });
      return { ...parent.runtime.env.all(), [ROLE_VARIABLE]: text };
    },
    collects,
    descendants: role.descendants,
    setup: {
      frameLimit,
      cleanupMs,
      options: setup.options,
      supervision: workerPlan(supervision),
      concurrency,
      queue,
      output,
    },
    goal: `Broker.start({ name: "${role.broker}" })`,
    runsProgram: role.load === null,
  };
}

/** In a module's process: the places of its workers are those of the broker. */
export class BorrowedPlaces implements StartQueue {
  readonly #send: (message: ControlFromChild) => void;
  readonly #waiting = new Map<number, () => void>();
  #last = 0;

  constructor(send: (message: ControlFromChild) => void) {
    this.#send = send;
  }

  enter(admitted: () => void): () => void {
    const start = ++this.#last;
    let isOver = false;
    this.#waiting.set(start, admitted);
    this.#send({ kind: "start-wanted", start });
    return () => {
      if (isOver) return;
      isOver = true;
      this.#waiting.delete(start);
      this.#send({ kind: "start-over", start });
    };
  }

  /** The broker has a place for that start. */
  admitted(start: number): void {
    const admitted = this.#waiting.get(start);
    this.#waiting.delete(start);
    admitted?.();
  }
}
