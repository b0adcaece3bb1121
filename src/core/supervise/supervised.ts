/**
 * A process that is kept running: started, watched, started again by its policy, stopped in good order. Its calls wait while it
 * is away and go on when it is back.
 *
 * @module
 */

import { Caller } from "../call/caller.ts";
import { CallCounters } from "../call/counters.ts";
import { DEFAULT_QUEUE_LIMITS } from "../call/queue.ts";
import { cleanupStatus, type ProcessStatus } from "../status.ts";
import type { EndMeaning } from "./end_meaning.ts";
import { Life } from "./life.ts";
import { ProcessReporter } from "./process_reporter.ts";
import { Restarts } from "./restart.ts";
import { type ProcessState, StateMachine } from "./states.ts";
import type { SupervisedOptions } from "./supervised_options.ts";
import type { FatherNotice } from "../frame/notice.ts";

const STOPPED = { code: "GONE" as const, reason: "process was stopped", exitCode: null, signal: null, lastLines: [] };
const NO_MEMORY = { rssBytes: null, pssBytes: null, privateBytes: null };

export class Supervised {
  readonly #options: SupervisedOptions;
  readonly #counters = new CallCounters();
  readonly #restarts: Restarts;
  readonly #lines: ProcessReporter;
  readonly #states: StateMachine;
  readonly caller: Caller;
  /** The process that runs, or the last one that ran. */
  #life: Life | undefined;
  #generation = 0;
  /** The pause before the next start. */
  #backoff: { readonly until: number; readonly clear: () => void } | undefined;
  /** Whether calls that wait are for the next life of the process. */
  #restarting = false;
  #restart: Promise<void> | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    const { runtime, reporter, module, name } = options;
    this.#restarts = new Restarts(options.setup().supervision.restart, () => runtime.random());
    this.#lines = new ProcessReporter(reporter, name, module);
    this.#states = new StateMachine(name);
    this.caller = newCaller(options, this.#counters);
  }

  get name(): string {
    return this.#options.name;
  }

  get state(): ProcessState {
    return this.#states.state;
  }

  /** Calls without an outcome: what the choice of a worker goes by. */
  get load(): number {
    return this.caller.pending;
  }

  /** Starts the process; settles when it is ready, or has failed for good. */
  async start(): Promise<void> {
    this.#begin();
    await this.#states.settled();
  }

  /** Settles when the process is ready, failed or stopped; at once where it is. */
  async settled(): Promise<void> {
    await this.#states.settled();
  }

  /** Drains the process and waits for its end. */
  async stop(): Promise<void> {
    const since = this.#now;
    this.#restarting = false;
    if (await this.#halt()) this.#lines.stopped(this.#now - since);
  }

  /** Stops the process and starts it again. Calls wait meanwhile, as does who asks for the same; a stop meanwhile is the end. */
  async restart(): Promise<void> {
    this.#restart ??= this.#startAgain().finally(() => this.#restart = undefined);
    await this.#restart;
  }

  tell(notice: FatherNotice): void {
    this.#life?.tell(notice);
  }

  async status(): Promise<ProcessStatus> {
    const { runtime } = this.#options;
    const isThere = !["stopped", "failed", "backoff"].includes(this.state);
    const pid = isThere ? this.#life?.pid ?? null : null;
    const cleanup = this.#life?.cleanup ?? null;
    return {
      name: this.name,
      state: this.state,
      pid,
      restarts: this.#restarts.total,
      uptimeMs: this.state === "ready" ? Math.round(this.#life?.uptimeMs ?? 0) : 0,
      nextRestartMs: this.#backoff === undefined ? null : Math.max(0, Math.round(this.#backoff.until - this.#now)),
      memory: pid === null ? NO_MEMORY : await runtime.memory(pid),
      calls: this.#counters.counts(),
      latencyMs: this.#counters.latency(),
      cleanup: cleanup === null ? null : cleanupStatus(cleanup),
    };
  }

  get #now(): number {
    return this.#options.runtime.clock.now();
  }

  #begin(): void {
    this.#clearBackoff();
    this.#generation++;
    this.#life = new Life({
      supervised: this.#options,
      states: this.#states,
      lines: this.#lines,
      caller: this.caller,
      generation: this.#generation,
      events: {
        ready: (_life, link) => this.caller.connect(link),
        ended: (life, meaning, asked) => this.#ended(life, meaning, asked),
      },
    });
    this.#life.start();
  }

  async #startAgain(): Promise<void> {
    this.#restarting = true;
    await this.#halt();
    if (!this.#restarting) return;
    this.#restarting = false;
    this.#restarts.byHand();
    await this.start();
  }

  #ended(life: Life, meaning: EndMeaning, asked: boolean): void {
    this.#options.onEnded?.();
    if (asked) {
      this.caller.disconnect(meaning.fault);
      this.#stopped();
    } else this.#decide(life.uptimeMs, meaning);
  }

  #decide(uptimeMs: number, { failed, lasting, fault, detail }: EndMeaning): void {
    const decision = this.#restarts.decide({ failed, lasting, uptimeMs, now: this.#now });
    if (decision.kind === "restart") {
      this.caller.disconnect(fault);
      this.#states.become("backoff");
      const { delayMs } = decision;
      const clear = this.#options.runtime.clock.timer(delayMs, () => this.#begin());
      this.#backoff = { until: this.#now + delayMs, clear };
      this.#lines.backoff(delayMs, this.#restarts.total);
    } else {
      this.caller.refuse(fault);
      this.#states.become(failed ? "failed" : "stopped");
      if (failed) this.#fail(decision.why === "intensity" ? `${detail}, and it was restarted too often` : detail);
    }
  }

  #fail(reason: string): void {
    this.#lines.failed(reason);
    this.#options.onFailed?.();
  }

  /** Ends the process. False where none ran. */
  async #halt(): Promise<boolean> {
    const { state } = this;
    if (state === "stopped") return false;
    if (state === "backoff" || state === "failed") {
      this.#stopped();
      return false;
    }
    if (state !== "draining") {
      this.caller.pause();
      this.#life?.drain();
    }
    await this.#states.is("stopped");
    return true;
  }

  #stopped(): void {
    this.#clearBackoff();
    this.#states.become("stopped");
    if (!this.#restarting) this.caller.refuse(STOPPED);
  }

  #clearBackoff(): void {
    this.#backoff?.clear();
    this.#backoff = undefined;
  }
}

function newCaller({ runtime, reporter, module, setup }: SupervisedOptions, counters: CallCounters): Caller {
  const { queue, concurrency, frameLimit } = setup();
  return new Caller({
    clock: runtime.clock,
    reporter,
    counters,
    module,
    queue: { ...DEFAULT_QUEUE_LIMITS, calls: queue ?? DEFAULT_QUEUE_LIMITS.calls },
    concurrency: concurrency ?? Infinity,
    frameLimit,
    thread: () => runtime.thread(),
    tracesPromises: runtime.tracesPromises,
    ownFiles: runtime.ownFiles,
  });
}
