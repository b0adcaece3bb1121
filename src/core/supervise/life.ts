/**
 * One life of a process under supervision, from its start to its end: its states, its deadlines, and what is said about it.
 *
 * @module
 */

import type { Caller } from "../call/caller.ts";
import type { CleanupReceipt } from "../cleanup/clean.ts";
import type { Link } from "../frame/link.ts";
import type { FatherNotice } from "../frame/notice.ts";
import { formatTimeout } from "../log/duration.ts";
import { deadline } from "./deadline.ts";
import { type EndMeaning, meaningOf } from "./end_meaning.ts";
import type { ProcessReporter } from "./process_reporter.ts";
import { ProcessRun } from "./process_run.ts";
import type { ProcessEnd } from "./process_run_options.ts";
import type { StateMachine } from "./states.ts";
import type { SupervisedOptions } from "./supervised_options.ts";

export interface LifeOptions {
  readonly supervised: SupervisedOptions;
  readonly states: StateMachine;
  readonly lines: ProcessReporter;
  readonly caller: Caller;
  /** How many lives the process had before, and this one. */
  readonly generation: number;
  readonly events: LifeEvents;
}

export interface LifeEvents {
  /** The process serves commands. */
  ready(life: Life, link: Link): void;
  /** The last event. `asked`: brokkr wanted it. */
  ended(life: Life, meaning: EndMeaning, asked: boolean): void;
}

export class Life {
  readonly #options: LifeOptions;
  readonly #run: ProcessRun;
  #clearStart: (() => void) | undefined;
  #startedAt = 0;
  #readyAt: number | null = null;
  #cleanup: CleanupReceipt | null = null;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#run = this.#newRun();
  }

  get states(): StateMachine {
    return this.#options.states;
  }

  get pid(): number | null {
    return this.#run.pid;
  }

  /** Milliseconds since the process became ready. */
  get uptimeMs(): number {
    return this.#readyAt === null ? 0 : this.#clock.now() - this.#readyAt;
  }

  /** What the cleanup of the process did, when it is over. */
  get cleanup(): CleanupReceipt | null {
    return this.#cleanup;
  }

  /** Creates the process. */
  start(): void {
    const { states, lines, generation, supervised } = this.#options;
    const { startTimeoutMs } = supervised.setup().supervision;
    states.become("starting");
    this.#startedAt = this.#clock.now();
    this.#clearStart = deadline(this.#clock, startTimeoutMs, () => {
      const where = `Broker.start({ name: "${supervised.broker}" })`;
      this.#run.kill("SIGKILL", `process did not reach ${where} in ${formatTimeout(startTimeoutMs)}`);
    });
    lines.starting(generation);
    this.#run.spawn().then((pid) => supervised.guard?.add(pid, supervised.name), (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      const lasting = error instanceof Error && "lasting" in error && error.lasting === true;
      this.#ended({ code: null, signal: null, why, cleaning: null, wasReady: false, lastLines: [], lasting });
    });
  }

  /** Asks the process to finish its calls and to end, and makes it when it does not. */
  drain(): void {
    const { states, lines } = this.#options;
    if (states.state === "draining") return;
    states.become("draining");
    lines.stopping(this.pid);
    this.#run.drain();
  }

  tell(notice: FatherNotice): void {
    this.#run.notify(notice);
  }

  get #clock() {
    return this.#options.supervised.runtime.clock;
  }

  #newRun(): ProcessRun {
    const { supervised, lines, caller } = this.#options;
    const { guard, broker, father, setup, records } = supervised;
    return new ProcessRun({
      ...supervised,
      group: guard !== null,
      hello: { broker, process: father },
      frameLimit: setup().frameLimit,
      deadlines: setup().supervision,
      caller,
      events: {
        greeted: () => this.#greeted(),
        ready: (_commands, cleanup) => this.#ready(cleanup),
        records,
        output: (line) => lines.output(this.pid ?? 0, line),
        dropped: (what, count) => lines.dropped(what, count),
        notice: (notice) => {
          if (notice.kind === "status") supervised.onStatus?.(notice.request, notice.workers);
        },
        killed: (signal, reason) => lines.killed(this.pid, signal, reason),
        ended: (end) => this.#ended(end),
      },
    });
  }

  #greeted(): void {
    this.#clearStart?.();
    const { states } = this.#options;
    if (states.state === "starting") states.become("cleaning");
    // It could not be asked before.
    else if (states.state === "draining") this.#run.drain();
  }

  #ready(cleanup: CleanupReceipt): void {
    const { states, lines, events } = this.#options;
    const link = this.#run.link;
    this.#cleanup = cleanup;
    if (states.state !== "cleaning" || link === undefined) return;
    this.#readyAt = this.#clock.now();
    states.become("ready");
    events.ready(this, link);
    lines.ready(this.pid ?? 0, this.#readyAt - this.#startedAt);
  }

  #ended(end: ProcessEnd): void {
    const { states, lines, supervised, events } = this.#options;
    this.#clearStart?.();
    if (this.pid !== null) supervised.guard?.remove(this.pid);
    const meaning = meaningOf(end);
    const asked = states.state === "draining";
    lines.exited(this.pid, meaning, asked && end.why === null);
    events.ended(this, meaning, asked);
  }
}
