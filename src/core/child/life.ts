/**
 * One life of a process under supervision, from its start to its end: its states, its deadlines, and what is said about it.
 *
 * @module
 */

import type { CallClient } from "../call/client.ts";
import type { Link } from "../wire/link.ts";
import type { ControlFromParent, EndSignal } from "../wire/messages.ts";
import type { CleanupReceipt } from "../wire/status.ts";
import { deadline, formatTimeout } from "../duration.ts";
import { LineLimit } from "../log/line_limit.ts";
import type { EventId, LogEvent } from "../log/record.ts";
import { type Origin, reportedEvents } from "../log/reported.ts";
import { type EndMeaning, meaningOf } from "./end_meaning.ts";
import { Heartbeat, MemoryWatch } from "./watchdogs.ts";
import type { ProcessReporter } from "./process_reporter.ts";
import { ProcessRun } from "./process_run.ts";
import type { ProcessEnd, ProcessRunEvents } from "./process_run_options.ts";
import type { Run } from "./run.ts";
import type { SupervisionPlan } from "../module/settings.ts";
import { LentPlaces } from "./start_queue.ts";
import type { StateMachine } from "./states.ts";
import { isByTermination, TREE_SIGNAL_MS } from "./shutdown.ts";
import type { SupervisedOptions } from "./supervised_options.ts";
import { isLasting, messageOf } from "../thrown.ts";

export interface LifeOptions {
  readonly supervised: SupervisedOptions;
  readonly states: StateMachine;
  readonly lines: ProcessReporter;
  readonly caller: CallClient;
  /** How many lives the process had, this one included. */
  readonly generation: number;
  readonly events: LifeEvents;
}

export interface LifeEvents {
  /** The process serves commands. */
  ready(life: Life, link: Link): void;
  /** The process drains by itself, for a signal of someone else: what was not sent to it waits for the next one. */
  leaving(life: Life): void;
  /** Nothing can be answered any more; what the end means is told by `ended`. */
  gone(life: Life, meaning: EndMeaning): void;
  /** The process holds too much memory to be kept. */
  tooLarge(life: Life, bytes: number, limitBytes: number): void;
  /** The last event. `asked`: brokkr wanted it. */
  ended(life: Life, meaning: EndMeaning, asked: boolean): void;
}

/** Of a peer that sends what can't be read, between what can: its end comes at three in a row. */
const MAX_DROPPED_LINES = 100;

export class Life {
  readonly #options: LifeOptions;
  readonly #plan: SupervisionPlan;
  readonly #run: Run;
  /** Settles with the end of the process. */
  readonly ended: Promise<void>;
  /** Settles when the process may start, or never will. */
  readonly admitted: Promise<void>;
  #tellEnd: () => void = () => {};
  #tellAdmitted: () => void = () => {};
  #isWaiting = false;
  /** Gives the place among the starts back, or its place in the queue. */
  #leaveStarts: () => void = () => {};
  readonly #lent: LentPlaces;
  #clearStart: (() => void) | undefined;
  #wasAsked = false;
  /** Whether the broker ends, and asks soon. */
  #endExpected = false;
  /** The signal for which it drains by itself. */
  #drainsBy: EndSignal | undefined;
  #clearSignal: (() => void) | undefined;
  /** Says whether an end by a signal is part of the broker's. */
  #judge: ((isExpected: boolean) => void) | undefined;
  #heartbeat: Heartbeat | undefined;
  #memory: MemoryWatch | undefined;
  #startedAt = 0;
  #startedWall = 0;
  #readyAt: number | null = null;
  #cleanup: CleanupReceipt | null = null;
  /** Of the lines that the process and its workers report, by the name of each. */
  readonly #logLimits = new Map<string, LineLimit>();
  /** Of the lines about what could not be read. */
  readonly #droppedLimit: LineLimit;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#plan = options.supervised.setup().supervision;
    this.#droppedLimit = new LineLimit(options.supervised.runtime.clock, MAX_DROPPED_LINES, (count) => {
      options.lines.dropped(`other frames or messages (limit: ${MAX_DROPPED_LINES} lines a second)`, count);
    });
    this.#run = this.#newRun();
    this.ended = new Promise((resolve) => this.#tellEnd = resolve);
    this.admitted = new Promise((resolve) => this.#tellAdmitted = resolve);
    this.#lent = new LentPlaces({
      starts: options.supervised.starts,
      clock: this.#clock,
      leaseMs: this.#plan.startTimeoutMs,
      tell: (notice) => this.tell(notice),
    });
  }

  /** What it was made with. */
  get supervised(): SupervisedOptions {
    return this.#options.supervised;
  }

  get states(): StateMachine {
    return this.#options.states;
  }

  get pid(): number | null {
    return this.#run.pid;
  }

  get link(): Link | undefined {
    return this.#run.link;
  }

  /** Milliseconds since the process became ready. */
  get uptimeMs(): number {
    return this.#readyAt === null ? 0 : this.#clock.now() - this.#readyAt;
  }

  /** What the cleanup of the process did, when it is over. */
  get cleanup(): CleanupReceipt | null {
    return this.#cleanup;
  }

  get isBlocked(): boolean {
    return this.#heartbeat?.isBlocked ?? false;
  }

  /** Whether the process waits until it may start. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Creates the process, when there is a place for its start. */
  start(): void {
    const { states, supervised } = this.#options;
    states.become("starting");
    this.#isWaiting = true;
    this.#leaveStarts = supervised.starts.enter(() => this.#spawn());
  }

  #spawn(): void {
    const { lines, generation, supervised } = this.#options;
    const { startTimeoutMs } = this.#plan;
    this.#isWaiting = false;
    this.#tellAdmitted();
    this.#startedAt = this.#clock.now();
    this.#startedWall = this.#clock.wall();
    this.#clearStart = deadline(this.#clock, startTimeoutMs, () => {
      this.#run.kill("SIGKILL", `process did not reach ${this.#goal} in ${formatTimeout(startTimeoutMs)}`);
    });
    lines.starting(generation);
    this.#run.spawn().then((pid) => supervised.guard?.add(pid, supervised.name), (error: unknown) => {
      const why = messageOf(error);
      const lasting = isLasting(error);
      this.#ended({ code: null, signal: null, why, cleaning: null, wasReady: false, lastLines: [], lasting });
    });
  }

  /** Asks the process to finish its calls and to end, and makes it when it does not. */
  drain(): void {
    this.#wasAsked = true;
    this.#clearSignal?.();
    if (this.#judge === undefined) this.#drain();
    else this.#judge(true);
  }

  /** The broker ends and asks soon: a signal that this process got before was for all of them. */
  expectEnd(): void {
    this.#endExpected = true;
    this.#clearSignal?.();
    this.#judge?.(true);
  }

  tell(notice: ControlFromParent): void {
    this.#run.notify(notice);
  }

  #drain(): void {
    const { states, lines } = this.#options;
    if (states.state === "draining" || states.state === "stopped") return;
    states.become("draining");
    if (this.#isWaiting) return this.#giveUp();
    this.#endWatches();
    lines.stopping(this.pid);
    this.#run.drain(this.#drainsBy);
  }

  /** Where the broker gets the same signal the process drains with it; else by itself, and its restart policy decides. */
  #signalled(signal: EndSignal): void {
    if (this.#wasAsked || this.#endExpected || this.#clearSignal !== undefined) return;
    this.#clearSignal = this.#clock.timer(TREE_SIGNAL_MS, () => {
      this.#drainsBy = signal;
      this.#options.events.leaving(this);
      this.#drain();
    });
  }

  /** There never was a process, so there is nothing to tell. */
  #giveUp(): void {
    this.#isWaiting = false;
    this.#leaveStarts();
    const end = { code: null, signal: null, why: null, cleaning: null, wasReady: false, lastLines: [] };
    this.#options.events.ended(this, meaningOf(end), true);
    this.#tellAdmitted();
    this.#tellEnd();
  }

  get #goal(): string {
    const { goal, broker } = this.#options.supervised;
    return goal ?? `Broker.start({ name: "${broker}" })`;
  }

  get #clock() {
    return this.#options.supervised.runtime.clock;
  }

  #newRun(): Run {
    const { supervised, lines, caller } = this.#options;
    const { guard, broker, father, setup } = supervised;
    const events: ProcessRunEvents = {
      greeted: () => this.#greeted(),
      cleaned: () => this.#leaveStarts(),
      ready: (_commands, cleanup) => this.#ready(cleanup),
      alive: () => this.#heartbeat?.answered(),
      records: (values) => supervised.records(this.#fewer(reportedEvents(values, this.#origin()))),
      output: (line) => lines.output(this.pid ?? 0, line),
      dropped: (what, count) => this.#droppedLimit.take() && lines.dropped(what, count),
      notice: (notice) => {
        if (notice.kind === "signal") return this.#signalled(notice.signal);
        if (notice.kind === "start-wanted") this.#lent.wanted(notice.start);
        else if (notice.kind === "start-over") this.#lent.over(notice.start);
        if (notice.kind !== "status") return;
        const { isWorker } = this.#origin();
        supervised.onStatus?.(notice.request, notice.workers.filter(({ name }) => isWorker(name)));
      },
      killed: (signal, reason) => lines.killed(this.pid, signal, reason),
      ended: (end) => this.#ended(end),
    };
    return supervised.newRun?.({ caller, deadlines: this.#plan, events }) ?? new ProcessRun({
      ...supervised,
      group: guard !== null,
      hello: { broker, process: father },
      frameLimit: setup().frameLimit,
      deadlines: this.#plan,
      caller,
      events,
    });
  }

  /** Those that its limits leave of what a process reports: it is not believed to keep them. */
  #fewer(events: readonly LogEvent[]): readonly LogEvent[] {
    return events.filter(({ event, module }) => !isOwnLine(event) || this.#logLimitOf(module).take());
  }

  /** Each worker has a limit of its own. */
  #logLimitOf(process: string): LineLimit {
    const known = this.#logLimits.get(process);
    if (known !== undefined) return known;
    const { maxLinesPerSecond } = this.supervised.setup().output;
    // The process counts in seconds of its own, two of which may meet in one of these.
    const made = new LineLimit(this.#clock, maxLinesPerSecond * 2, (count) => {
      const what = `lines that ${process} reported (limit: ${maxLinesPerSecond} a second)`;
      this.#options.lines.dropped(what, count);
    });
    this.#logLimits.set(process, made);
    return made;
  }

  #origin(): Origin {
    const { name, broker, isWorker = () => false } = this.supervised;
    return { name, pid: this.pid ?? 0, broker, isWorker, startedAt: this.#startedWall, now: this.#clock.wall() };
  }

  #greeted(): void {
    this.#clearStart?.();
    const { states } = this.#options;
    // It could not be asked before.
    if (states.state === "draining") return this.#run.drain(this.#drainsBy);
    states.become("cleaning");
    this.#watch();
  }

  /** A program may have no way to be asked for a sign of life. */
  #watch(): void {
    const { ask } = this.#run;
    if (ask === null) return;
    this.#heartbeat = new Heartbeat({
      clock: this.#clock,
      settings: this.#plan.heartbeat,
      heardAt: () => this.#run.heardAt,
      ask: () => ask.call(this.#run),
      blocked: (ms) => this.#blocked(ms),
      unblocked: (ms) => this.#options.lines.unblocked(this.pid ?? 0, ms),
    });
  }

  #blocked(ms: number): void {
    this.#options.lines.blocked(this.pid ?? 0, ms);
    const { timeoutMs, onBlocked } = this.#plan.heartbeat;
    const why = `process gave no sign of life for ${formatTimeout(timeoutMs)}`;
    // One that never becomes ready would keep its broker's start waiting for ever.
    if (this.states.state === "cleaning" || onBlocked === "restart") this.#run.kill("SIGKILL", why);
  }

  #ready(cleanup: CleanupReceipt | null): void {
    const { states, lines, events, supervised } = this.#options;
    const { link, pid } = this;
    this.#clearStart?.();
    this.#leaveStarts();
    this.#cleanup = cleanup;
    // A program of another language has nothing to clean.
    if (states.state !== (cleanup === null ? "starting" : "cleaning") || link === undefined || pid === null) return;
    if (cleanup === null) this.#watch();
    this.#readyAt = this.#clock.now();
    this.#memory = new MemoryWatch({
      runtime: supervised.runtime,
      pid,
      plan: this.#plan.memory,
      warn: (bytes, limitBytes) => lines.memory(pid, bytes, limitBytes),
      recycle: (bytes, limitBytes) => events.tooLarge(this, bytes, limitBytes),
    });
    states.become("ready");
    events.ready(this, link);
    lines.ready(pid, this.#readyAt - this.#startedAt);
  }

  #ended(end: ProcessEnd): void {
    const { supervised, events } = this.#options;
    this.#clearStart?.();
    this.#leaveStarts();
    this.#lent.end();
    this.#clearSignal?.();
    this.#endWatches();
    this.#droppedLimit.end();
    for (const limit of this.#logLimits.values()) limit.end();
    if (this.pid !== null) supervised.guard?.remove(this.pid);
    const meaning = meaningOf(end, supervised.runsProgram === true ? this.#goal : null);
    const isSignalled = isByTermination(end) && this.#drainsBy === undefined;
    if (this.#wasAsked || !isSignalled) return this.#over(end, meaning, this.#wasAsked);
    if (this.#endExpected) return this.#over(end, meaning, true);
    events.gone(this, meaning);
    const clear = this.#clock.timer(TREE_SIGNAL_MS, () => this.#judge?.(false));
    this.#judge = (isExpected) => {
      clear();
      this.#judge = undefined;
      this.#over(end, meaning, isExpected);
    };
  }

  #over(end: ProcessEnd, meaning: EndMeaning, asked: boolean): void {
    const { lines, events } = this.#options;
    lines.exited(this.pid, meaning, asked && end.why === null);
    events.ended(this, meaning, asked);
    this.#tellEnd();
  }

  #endWatches(): void {
    this.#heartbeat?.end();
    this.#memory?.end();
  }
}

/** Whether a process may report it as often as it likes, where nothing limits it. */
function isOwnLine(event: EventId): boolean {
  return event.startsWith("module.") || event === "process.dropped";
}
