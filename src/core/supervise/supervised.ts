/**
 * A process that is kept running: started, watched, started again by its policy, stopped in good order. Its calls wait while it
 * is away and go on when it is back.
 *
 * @module
 */

import { Caller } from "../call/caller.ts";
import { CallCounters } from "../call/counters.ts";
import { DEFAULT_QUEUE_LIMITS } from "../call/queue.ts";
import type { CleanupReceipt } from "../cleanup/clean.ts";
import { formatTimeout } from "../log/duration.ts";
import { cleanupStatus, type ProcessStatus } from "../status.ts";
import { ProcessReporter } from "./process_reporter.ts";
import { type ProcessEnd, ProcessRun } from "./process_run.ts";
import { type EndMeaning, meaningOf, Restarts } from "./restart.ts";
import { checkTransition, type ProcessState } from "./states.ts";
import type { SupervisedOptions } from "./supervised_options.ts";

/** Time from the spawn to the hello, for the program to reach `Broker.start`. */
const HELLO_DEADLINE_MS = 10_000;
const STOPPED = { code: "GONE" as const, reason: "process was stopped", exitCode: null, signal: null, lastLines: [] };

export class Supervised {
  readonly #options: SupervisedOptions;
  readonly #counters = new CallCounters();
  readonly #restarts: Restarts;
  readonly #lines: ProcessReporter;
  readonly caller: Caller;
  #state: ProcessState = "stopped";
  #run: ProcessRun | undefined;
  #generation = 0;
  #spawnedAt = 0;
  #readyAt = 0;
  #cleanup: CleanupReceipt | null = null;
  #clearTimer: (() => void) | undefined;
  /** Whether calls that wait are for the next life of the process. */
  #restarting = false;
  #restart: Promise<void> | undefined;
  /** Wakes who waits for ready, failed or stopped. */
  #settled = new Set<() => void>();

  constructor(options: SupervisedOptions) {
    this.#options = options;
    const { runtime, reporter, module } = options;
    const setup = options.setup();
    this.#restarts = new Restarts(setup.restart);
    this.#lines = new ProcessReporter(reporter, options.name, module);
    this.caller = new Caller({
      clock: runtime.clock,
      reporter,
      counters: this.#counters,
      module,
      queue: { ...DEFAULT_QUEUE_LIMITS, calls: setup.queue ?? DEFAULT_QUEUE_LIMITS.calls },
      concurrency: setup.concurrency ?? Infinity,
      frameLimit: setup.frameLimit,
      thread: () => runtime.thread(),
      tracesPromises: runtime.tracesPromises,
      ownFiles: runtime.ownFiles,
    });
  }

  get name(): string {
    return this.#options.name;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Calls without an outcome: what the choice of a worker goes by. */
  get load(): number {
    return this.caller.pending;
  }

  /** Starts the process; settles when it is ready, or has failed for good. */
  async start(): Promise<void> {
    await this.#spawn();
    while (this.#state !== "ready" && this.#state !== "failed" && this.#state !== "stopped") await this.#change();
  }

  /** Drains the process and waits for its end. */
  async stop(): Promise<void> {
    const since = this.#options.runtime.clock.now();
    this.#restarting = false;
    if (await this.#halt()) this.#lines.stopped(this.#options.runtime.clock.now() - since);
  }

  /** Stops the process and starts it again. Calls wait meanwhile, as does who asks for the same; a stop meanwhile is the end. */
  async restart(): Promise<void> {
    this.#restart ??= this.#startAgain().finally(() => this.#restart = undefined);
    await this.#restart;
  }

  async #startAgain(): Promise<void> {
    this.#restarting = true;
    await this.#halt();
    if (!this.#restarting) return;
    this.#restarting = false;
    this.#restarts.byHand();
    await this.start();
  }

  tell(notice: Parameters<ProcessRun["notify"]>[0]): void {
    this.#run?.notify(notice);
  }

  async status(): Promise<ProcessStatus> {
    const pid = this.#state === "stopped" || this.#state === "failed" ? null : this.#run?.pid ?? null;
    const { runtime } = this.#options;
    const nothing = { rssBytes: null, pssBytes: null, privateBytes: null };
    return {
      name: this.name,
      state: this.#state,
      pid,
      restarts: this.#restarts.total,
      uptimeMs: this.#state === "ready" ? Math.round(runtime.clock.now() - this.#readyAt) : 0,
      memory: pid === null ? nothing : await runtime.memory(pid),
      calls: this.#counters.counts(),
      latencyMs: this.#counters.latency(),
      cleanup: this.#cleanup === null ? null : cleanupStatus(this.#cleanup),
    };
  }

  async #spawn(): Promise<void> {
    this.#become("starting");
    this.#generation++;
    this.#cleanup = null;
    this.#spawnedAt = this.#options.runtime.clock.now();
    this.#lines.starting(this.#generation);
    const run = this.#run = this.#newRun();
    try {
      const pid = await run.spawn();
      this.#options.guard?.add(pid, this.name);
      this.#within(HELLO_DEADLINE_MS, () => {
        const seconds = formatTimeout(HELLO_DEADLINE_MS);
        run.kill("SIGKILL", `process did not reach Broker.start({ name: "${this.#options.broker}" }) in ${seconds}`);
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#ended({ code: null, signal: null, why, cleaning: null, wasReady: false, lastLines: [] });
    }
  }

  #newRun(): ProcessRun {
    const { guard, broker, father, setup, records } = this.#options;
    return new ProcessRun({
      ...this.#options,
      group: guard !== null,
      hello: { broker, process: father },
      frameLimit: setup().frameLimit,
      caller: this.caller,
      events: {
        greeted: () => this.#greeted(),
        ready: (_commands, cleanup) => this.#ready(cleanup),
        records,
        output: (stream, text) => this.#lines.output(this.#run?.pid ?? 0, stream, text),
        notice: (notice) => {
          if (notice.kind === "status") this.#options.onStatus?.(notice.request, notice.workers);
        },
        refused: (reason, excerpt) => this.#lines.refusedFrame(reason, excerpt),
        ended: (end) => this.#ended(end),
      },
    });
  }

  #greeted(): void {
    this.#clearTimer?.();
    if (this.#state === "starting") this.#become("cleaning");
    else if (this.#state === "draining") this.#run?.drain();
  }

  #ready(cleanup: CleanupReceipt): void {
    this.#cleanup = cleanup;
    if (this.#state !== "cleaning") return;
    this.#readyAt = this.#options.runtime.clock.now();
    this.#become("ready");
    this.#lines.ready(this.#run?.pid ?? 0, this.#readyAt - this.#spawnedAt);
    if (this.#run?.link !== undefined) this.caller.connect(this.#run.link);
  }

  #ended(end: ProcessEnd): void {
    this.#clearTimer?.();
    const childPid = this.#run?.pid ?? null;
    if (childPid !== null) this.#options.guard?.remove(childPid);
    this.#run = undefined;
    this.#options.onEnded?.();
    const meaning = meaningOf(end);
    const expected = this.#state === "draining";
    this.#lines.exited(childPid, meaning, expected && end.why === null);
    if (expected) {
      this.caller.disconnect(meaning.fault);
      this.#stopped();
    } else this.#decide(meaning);
  }

  #decide({ failed, fault, detail }: EndMeaning): void {
    const decision = this.#restarts.decide(failed, this.#options.runtime.clock.now());
    if (decision.kind === "restart") {
      this.caller.disconnect(fault);
      this.#become("backoff");
      this.#lines.backoff(decision.delayMs, this.#restarts.total);
      this.#within(decision.delayMs, () => void this.#spawn());
    } else {
      this.caller.refuse(fault);
      this.#become(failed ? "failed" : "stopped");
      if (failed) this.#lines.failed(decision.why === "policy" ? detail : `${detail}, and it was restarted too often`);
    }
  }

  /** Ends the process. False where none ran. */
  async #halt(): Promise<boolean> {
    if (this.#state === "stopped") return false;
    if (this.#run === undefined) {
      this.#stopped();
      return false;
    }
    if (this.#state !== "draining") {
      this.#lines.stopping(this.#run.pid);
      this.#become("draining");
      this.caller.pause();
      this.#run.drain();
    }
    while (this.state !== "stopped") await this.#change();
    return true;
  }

  #stopped(): void {
    this.#clearTimer?.();
    this.#become("stopped");
    if (!this.#restarting) this.caller.refuse(STOPPED);
  }

  #within(ms: number, fn: () => void): void {
    this.#clearTimer?.();
    this.#clearTimer = this.#options.runtime.clock.timer(ms, fn);
  }

  #become(state: ProcessState): void {
    checkTransition(this.name, this.#state, state);
    this.#state = state;
    const waiting = [...this.#settled];
    this.#settled.clear();
    for (const wake of waiting) wake();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#settled.add(resolve));
  }
}
