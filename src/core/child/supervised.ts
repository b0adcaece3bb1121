/**
 * A process that is kept running: started, watched, started again by its policy, replaced, stopped in good order. Its calls wait while
 * it is away and go on when it is back.
 *
 * @module
 */

import type { CallClient } from "../call/client.ts";
import { CallCounters } from "../call/outcomes.ts";
import { StateMachine } from "./states.ts";
import type { ControlFromParent } from "../wire/messages.ts";
import type { ProcessState, ProcessStatus } from "../wire/status.ts";
import { formatMebibytes } from "../log/line_kind.ts";
import type { EndMeaning } from "./end_meaning.ts";
import { NOT_STARTED, STOPPED } from "./gone.ts";
import { Life } from "./life.ts";
import { BackoffTimer, Restarts } from "./restart.ts";
import { ProcessReporter } from "./process_reporter.ts";
import { processStatus } from "./process_status.ts";
import { Succession } from "./succession.ts";
import { SupervisedCaller } from "./supervised_caller.ts";
import type { ReplaceOptions, SupervisedOptions } from "./supervised_options.ts";

export class Supervised {
  readonly name: string;
  /** Calls to the process, whichever it is. */
  readonly caller: CallClient;
  #options: SupervisedOptions;
  readonly #counters = new CallCounters();
  readonly #calls: SupervisedCaller;
  readonly #restarts: Restarts;
  readonly #lines: ProcessReporter;
  #states: StateMachine;
  /** The process that runs, or the last one that ran. */
  #life: Life | undefined;
  readonly #succession = new Succession();
  #generation = 0;
  readonly #pause: BackoffTimer;
  /** Whether calls that wait are for the next life of the process. */
  #restarting = false;
  #restart: Promise<void> | undefined;
  #replacing: Promise<unknown> | undefined;
  #endExpected = false;
  /** Replacements that wait for their turn. */
  #replacements = 0;
  /** How often a stop was wanted: what waited before has no object any more. */
  #stops = 0;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    const { runtime, reporter, module, name } = options;
    this.#restarts = new Restarts(options.setup().supervision.restart, () => runtime.random());
    this.#lines = new ProcessReporter(reporter, name, module);
    this.#states = new StateMachine(name);
    this.#pause = new BackoffTimer(runtime.clock);
    this.#calls = new SupervisedCaller(options, this.#counters);
    this.name = name;
    this.caller = this.#calls.caller;
  }

  get state(): ProcessState {
    return this.#states.state;
  }

  /** Whether it is ready, failed or stopped. */
  get isSettled(): boolean {
    return this.#states.isSettled;
  }

  /** Starts the process; settles when it is ready, or that start has ended, though another may follow. */
  async start(): Promise<void> {
    this.#begin();
    await this.tried();
  }

  /** Gives the start up before it began. */
  failToStart(reason: string): void {
    this.#states.become("failed");
    this.caller.refuse(NOT_STARTED);
    this.#fail(reason);
  }

  /** Whether the process waits until it may start. */
  get isWaiting(): boolean {
    return this.#life?.isWaiting ?? false;
  }

  /** Settles when the process may start, or has ended before. */
  async admitted(): Promise<void> {
    await this.#life?.admitted;
  }

  /** Settles when the process is ready, failed or stopped; at once where it is. */
  async settled(): Promise<void> {
    await this.#states.settled();
  }

  /** Settles when the process is ready, or its start has ended, though it may be tried again; at once where that is so. */
  async tried(): Promise<void> {
    await this.#states.tried();
  }

  /** Drains the process and waits for its end. */
  async stop(): Promise<void> {
    const since = this.#now;
    this.#restarting = false;
    this.#stops++;
    // What is called next does not go to the process any more.
    this.caller.pause();
    await whatIsUnderWay();
    const hasRun = await this.#halt();
    await this.#succession.drain();
    if (hasRun) this.#lines.stopped(this.#now - since);
    else this.caller.refuse(STOPPED);
  }

  /**
   * Stops the process and starts it again; settles when it is ready, or that start has ended. Calls wait meanwhile, as does who asks
   * for the same; a stop meanwhile is the end.
   */
  async restart(): Promise<void> {
    await (this.#restart ??= this.#startAgain().finally(() => this.#restart = undefined));
  }

  /**
   * Puts a new process in the place of the one that runs, which goes on until the new one is ready, and for good where that fails.
   * Settles when the old one has ended; with false where it was kept. Other options overtake a start that is under way.
   */
  async replace(reason: string, options: ReplaceOptions = {}): Promise<boolean> {
    if (options.options !== undefined) this.#succession.abandon();
    const stops = this.#stops;
    this.#replacements++;
    const turn = (this.#replacing ?? Promise.resolve()).then(() => {
      this.#replacements--;
      return stops === this.#stops && this.#replace(reason, options);
    });
    this.#replacing = turn;
    return await turn;
  }

  /** The broker ends, and stops this process in its turn: an end by a signal until then is part of that. */
  expectEnd(): void {
    this.#endExpected = true;
    this.#life?.expectEnd();
    this.#succession.successor?.expectEnd();
  }

  tell(notice: ControlFromParent): void {
    this.#life?.tell(notice);
  }

  async status(): Promise<ProcessStatus> {
    const { name, state } = this;
    const [restarts, nextRestartMs] = [this.#restarts.total, this.#pause.remainingMs];
    const parts = { name, state, last: this.#life, restarts, nextRestartMs, counters: this.#counters };
    return await processStatus(parts, this.#options.runtime);
  }

  get #now(): number {
    return this.#options.runtime.clock.now();
  }

  #begin(): void {
    this.#pause.end();
    this.caller.expect();
    this.#life = this.#newLife(this.#options, this.#states);
    this.#life.start();
  }

  #newLife(supervised: SupervisedOptions, states: StateMachine): Life {
    const life = new Life({
      supervised,
      states,
      lines: this.#lines,
      caller: this.caller,
      generation: ++this.#generation,
      events: {
        ready: (life, link) => {
          if (life === this.#succession.successor) this.#takeOver(life);
          this.caller.connect(link);
        },
        leaving: (life) => {
          if (life === this.#life) this.caller.pause();
        },
        gone: (life, { fault }) => {
          if (life.link !== undefined) this.caller.disconnect(fault, life.link);
        },
        tooLarge: (life, bytes, limitBytes) => {
          if (life !== this.#life || this.#succession.successor !== undefined) return;
          const reason = `it holds ${formatMebibytes(bytes)}, more than ${formatMebibytes(limitBytes)}`;
          void this.replace(reason, { patient: true });
        },
        ended: (life, meaning, asked) => this.#ended(life, meaning, asked),
      },
    });
    if (this.#endExpected) life.expectEnd();
    return life;
  }

  async #startAgain(): Promise<void> {
    this.#restarting = true;
    this.caller.pause();
    await whatIsUnderWay();
    await this.#halt();
    if (!this.#restarting) return;
    this.#restarting = false;
    this.#restarts.byHand();
    await this.start();
  }

  async #replace(reason: string, { options, patient = false }: ReplaceOptions): Promise<boolean> {
    const stops = this.#stops;
    if (options === undefined) await this.tried();
    if (stops !== this.#stops) return false;
    const [old, since] = [this.#life, this.#now];
    if (this.state !== "ready" || old === undefined || old.pid === null) {
      if (options !== undefined) this.follow(options);
      await this.restart();
      // One that was under way may have begun with the options of before.
      if (stops === this.#stops && this.#life?.supervised !== this.#options) await this.restart();
      return this.state === "ready";
    }
    const states = new StateMachine(this.name);
    const successor = this.#newLife(options ?? this.#options, states);
    this.#lines.replacing(old.pid, reason);
    this.#succession.begin(successor);
    await states.settled();
    if (!this.#succession.isRetired(old)) return states.state === "ready";
    this.#lines.replaced(successor.pid ?? 0, old.pid, this.#now - since);
    if (patient) await this.#calls.idle(old, () => this.#replacements === 0);
    old.drain();
    await old.ended;
    return true;
  }

  /** `life`, the successor, becomes the process. */
  #takeOver(life: Life): void {
    if (this.#life?.states.state === "ready") this.#succession.retire(this.#life);
    // What the old one was asked it may never answer, and its workers have successors too.
    this.#options.onEnded?.();
    this.#succession.over();
    [this.#life, this.#states] = [life, life.states];
    this.#restarts.byHand();
    this.follow(life.supervised);
  }

  /** From the next start on the process is made with `options`. */
  follow(options: SupervisedOptions): void {
    this.#options = options;
    this.#restarts.follow(options.setup().supervision.restart);
    this.#calls.follow(options);
  }

  #ended(life: Life, meaning: EndMeaning, asked: boolean): void {
    const { successor } = this.#succession;
    if (life === successor) return this.#keep(life, meaning);
    if (life.link !== undefined) this.caller.disconnect(meaning.fault, life.link);
    if (this.#succession.leave(life)) return life.states.become("stopped");
    this.#options.onEnded?.();
    if (asked) this.#stopped();
    else if (successor !== undefined) this.#takeOver(successor);
    else this.#decide(life.uptimeMs, meaning);
  }

  #keep(successor: Life, { detail }: EndMeaning): void {
    this.#succession.over();
    successor.states.become("failed");
    this.#lines.kept(this.#life?.pid ?? 0, detail);
  }

  #decide(uptimeMs: number, { failed, lasting, fault, detail }: EndMeaning): void {
    const decision = this.#restarts.decide({ failed, lasting, uptimeMs, now: this.#now });
    if (decision.kind === "restart") {
      this.#states.become("backoff");
      this.#pause.begin(decision.delayMs, () => this.#begin());
      this.#lines.backoff(decision.delayMs, this.#restarts.total);
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
    this.#succession.abandon();
    const { state } = this;
    if (state === "stopped") return false;
    if (state === "backoff" || state === "failed") {
      this.#stopped();
      return false;
    }
    this.caller.pause();
    const hasRun = !this.isWaiting;
    this.#life?.drain();
    await this.#states.is("stopped");
    return hasRun;
  }

  #stopped(): void {
    this.#pause.end();
    this.#states.become("stopped");
    if (!this.#restarting) this.caller.refuse(STOPPED);
  }
}

/**
 * A log function or listener may ask for a stop or restart while it is told of an event, which is before the process has become what
 * the event tells.
 */
function whatIsUnderWay(): Promise<void> {
  return Promise.resolve();
}
