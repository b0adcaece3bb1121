/**
 * One process of a child, from its start to its end: its states, its watchdogs, and what is reported of it. The child itself may have
 * had others before: see `supervisor.ts`.
 */

import type { ExitStatus } from "../../runtime/runtime.ts";
import type { CallClient } from "../call/client.ts";
import { deadline, formatTimeout } from "../duration.ts";
import type { BrokerFault } from "../faults.ts";
import { LineLimit } from "../log/reporter.ts";
import type { EventFields, EventId, LogEvent } from "../log/events.ts";
import { type Origin, reportedEvents } from "../log/broker_log.ts";
import type { SupervisionPlan } from "../settings/settings.ts";
import { isLasting, messageOf } from "../user_code.ts";
import type { CleanupReceipt, ProcessStatus } from "../wire/status.ts";
import type { Link } from "../wire/link.ts";
import { type ControlFromChild, type ControlFromParent, type EndSignal, TREE_SIGNAL_MS } from "../wire/messages.ts";
import type { ChildSession, ChildSpec, ProcessEnd, SessionEvents } from "./child_spec.ts";
import { isByTermination, ModuleSession } from "./session.ts";
import { LentPlaces } from "./starts.ts";
import type { StateMachine } from "./restart.ts";
import { Heartbeat, watchMemory } from "./watchdogs.ts";

export interface ChildProcessOptions {
  readonly states: StateMachine;
  readonly caller: CallClient;
  readonly generation: number;
  readonly events: ChildProcessEvents;
}

/** What answers a question to a process, or why nothing does. */
export type Answer = ControlFromChild<"status" | "inspected"> | { readonly kind: "late" | "ended" };

export interface ChildProcessEvents {
  ready(child: ChildProcess, link: Link | undefined): void;
  /** The process drains by itself, for a signal of someone else: calls that were not sent to it wait for the next one. */
  leaving(child: ChildProcess): void;
  /** The process can't answer any more; what its end means follows with `ended`. */
  gone(child: ChildProcess, reason: ExitReason): void;
  tooLarge(child: ChildProcess, bytes: number, limitBytes: number): void;
  workers(workers: readonly ProcessStatus[]): void;
  /** The last event. `asked`: brokkr wanted it. */
  ended(child: ChildProcess, reason: ExitReason, asked: boolean): void;
}

/** Lines a second about frames that can't be read, of a peer that sends others between them: three in a row end the process. */
const MAX_DROPPED_LINES = 100;

export class ChildProcess {
  readonly spec: ChildSpec;
  readonly #options: ChildProcessOptions;
  readonly #plan: SupervisionPlan;
  readonly #session: ChildSession;
  readonly ended: Promise<void>;
  /** Settles when the process may start, or never will. */
  readonly admitted: Promise<void>;
  #settleEnded: () => void = () => {};
  #settleAdmitted: () => void = () => {};
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
  /** Decides whether an end by a signal was part of the end of the broker. */
  #judge: ((isExpected: boolean) => void) | undefined;
  #heartbeat: Heartbeat | undefined;
  #commands: readonly string[] | null = null;
  #pings: (() => void)[] = [];
  readonly #questions = new Map<number, (answer: Answer) => void>();
  #lastQuestion = 0;
  #endMemoryWatch: (() => void) | undefined;
  #startedAt = 0;
  #startedWall = 0;
  #readyAt: number | null = null;
  #cleanup: CleanupReceipt | null = null;
  /** Limits of the lines that the process and its workers report, by the name of each. */
  readonly #logLimits = new Map<string, LineLimit>();
  readonly #droppedLimit: LineLimit;

  constructor(spec: ChildSpec, options: ChildProcessOptions) {
    this.spec = spec;
    this.#options = options;
    this.#plan = spec.setup.supervision;
    this.#droppedLimit = new LineLimit(this.#clock, MAX_DROPPED_LINES, (count) => {
      this.#dropped(`other frames or messages (limit: ${MAX_DROPPED_LINES} lines a second)`, count);
    });
    this.#session = this.#newSession();
    this.ended = new Promise((resolve) => this.#settleEnded = resolve);
    this.admitted = new Promise((resolve) => this.#settleAdmitted = resolve);
    this.#lent = new LentPlaces({
      starts: spec.parent.starts,
      clock: this.#clock,
      leaseMs: this.#plan.startTimeoutMs,
      send: (message) => this.send(message),
    });
  }

  get states(): StateMachine {
    return this.#options.states;
  }

  get pid(): number | null {
    return this.#session.pid;
  }

  get link(): Link | undefined {
    return this.#session.link;
  }

  get uptimeMs(): number {
    return this.#readyAt === null ? 0 : this.#clock.now() - this.#readyAt;
  }

  get cleanup(): CleanupReceipt | null {
    return this.#cleanup;
  }

  /** The commands that it serves; null before it is ready, and of a program of another language. */
  get commands(): readonly string[] | null {
    return this.#commands;
  }

  /** Settles when the process has answered a ping: never where it is blocked. A program may have no way to answer. */
  async ping(): Promise<void> {
    const { ping } = this.#session;
    if (ping === null) return;
    const answered = new Promise<void>((resolve) => this.#pings.push(resolve));
    ping();
    await answered;
  }

  /** Settles with the answer to what `question` makes of a number, or where none comes, within `ms` where they are given. */
  async ask(question: (request: number) => ControlFromParent, ms?: number): Promise<Answer> {
    const request = ++this.#lastQuestion;
    let clear = () => {};
    const answer = await new Promise<Answer>((resolve) => {
      this.#questions.set(request, resolve);
      if (ms !== undefined) clear = this.#clock.timer(ms, () => resolve({ kind: "late" }));
      this.send(question(request));
    });
    clear();
    this.#questions.delete(request);
    return answer;
  }

  /** It may never answer what it was asked. */
  endQuestions(): void {
    for (const settle of this.#questions.values()) settle({ kind: "ended" });
  }

  get isBlocked(): boolean {
    return this.#heartbeat?.isBlocked ?? false;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Creates the process, when there is a place for its start. */
  start(): void {
    this.states.become("starting");
    this.#isWaiting = true;
    this.#leaveStarts = this.spec.parent.starts.enter(() => this.#spawn());
  }

  #spawn(): void {
    const { name, parent, goal, whyLate } = this.spec;
    const { startTimeoutMs } = this.#plan;
    this.#isWaiting = false;
    this.#settleAdmitted();
    this.#startedAt = this.#clock.now();
    this.#startedWall = this.#clock.wall();
    this.#clearStart = deadline(this.#clock, startTimeoutMs, () => {
      const late = `process did not reach ${goal} in ${formatTimeout(startTimeoutMs)}`;
      this.#session.giveUp(whyLate === undefined ? late : `${late}: ${whyLate}`);
    }, () => parent.runtime.waitedMs(this.pid ?? 0));
    this.#report("process.starting", { process: name, generation: this.#options.generation });
    this.#session.spawn().then((pid) => this.#isHosted || parent.guard?.add(pid, name), (error: unknown) => {
      const why = messageOf(error);
      const lasting = isLasting(error);
      this.#ended({ code: null, signal: null, why, cleaning: null, wasReady: false, lastLines: [], lasting });
    });
  }

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

  send(message: ControlFromParent): void {
    this.#session.send(message);
  }

  #drain(): void {
    const { states } = this;
    if (states.state === "draining" || states.state === "stopped") return;
    states.become("draining");
    if (this.#isWaiting) return this.#giveUpStart();
    this.#endWatches();
    this.#report("process.stopping", { process: this.spec.name, childPid: this.pid });
    this.#session.drain(this.#drainsBy);
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

  /** There never was a process, so there is nothing to report. */
  #giveUpStart(): void {
    this.#isWaiting = false;
    this.#leaveStarts();
    const end = { code: null, signal: null, why: null, cleaning: null, wasReady: false, lastLines: [] };
    this.#options.events.ended(this, exitReason(end), true);
    this.#settleAdmitted();
    this.#settleEnded();
  }

  /** Whether it is served in this process. */
  get #isHosted(): boolean {
    return this.pid === this.spec.parent.runtime.pid;
  }

  get #clock() {
    return this.spec.parent.runtime.clock;
  }

  #newSession(): ChildSession {
    const { spec } = this;
    const { name, parent, isWorker } = spec;
    const events: SessionEvents = {
      greeted: () => this.#greeted(),
      cleaned: () => this.#leaveStarts(),
      ready: (cleanup) => this.#ready(cleanup),
      alive: () => {
        this.#heartbeat?.answered();
        for (const settle of this.#pings.splice(0)) settle();
      },
      records: (values) => parent.records(this.#withinLimits(reportedEvents(values, this.#origin()))),
      output: (line) => this.#report("process.output", { process: name, childPid: this.pid ?? 0, ...line }),
      dropped: (what, count) => void (this.#droppedLimit.take() && this.#dropped(what, count)),
      message: (message) => {
        if (message.kind === "signal") return this.#signalled(message.signal);
        if (message.kind === "ready") this.#commands = message.commands;
        if (message.kind === "start-wanted") this.#lent.wanted(message.start);
        else if (message.kind === "start-over") this.#lent.over(message.start);
        else if (message.kind === "inspected" || message.kind === "status") {
          if (message.kind === "status") {
            this.#options.events.workers(message.workers.filter(({ name }) => isWorker(name)));
          }
          this.#questions.get(message.request)?.(message);
        }
      },
      killed: (signal, reason) => this.#report("process.killed", { process: name, childPid: this.pid, signal, reason }),
      ended: (end) => this.#ended(end),
    };
    const parts = { spec, caller: this.#options.caller, events };
    return spec.newSession?.(parts) ?? new ModuleSession(parts);
  }

  /** The events that are within the limits, which the process itself is not trusted to keep. */
  #withinLimits(events: readonly LogEvent[]): readonly LogEvent[] {
    return events.filter(({ event, module }) => !isOwnLine(event) || this.#logLimitOf(module).take());
  }

  #logLimitOf(process: string): LineLimit {
    const known = this.#logLimits.get(process);
    if (known !== undefined) return known;
    const { maxLinesPerSecond } = this.spec.setup.output;
    // The process counts in seconds of its own, two of which may meet in one of these.
    const made = new LineLimit(this.#clock, maxLinesPerSecond * 2, (count) => {
      const what = `lines that ${process} reported (limit: ${maxLinesPerSecond} a second)`;
      this.#dropped(what, count);
    });
    this.#logLimits.set(process, made);
    return made;
  }

  #origin(): Origin {
    const { name, parent: { broker }, isWorker } = this.spec;
    return { name, pid: this.pid ?? 0, broker, isWorker, startedAt: this.#startedWall, now: this.#clock.wall() };
  }

  #greeted(): void {
    this.#clearStart?.();
    const { states } = this;
    // There was no channel for it before.
    if (states.state === "draining") return this.#session.drain(this.#drainsBy);
    states.become("cleaning");
    this.#watch();
  }

  #watch(): void {
    const { name } = this.spec;
    const { ping } = this.#session;
    // A program may have no request that it answers in any case, and no process finds that it hangs itself.
    if (ping === null || this.#isHosted) return;
    this.#heartbeat = new Heartbeat({
      clock: this.#clock,
      settings: this.#plan.heartbeat,
      heardAt: () => this.#session.heardAt,
      ping,
      waitedMs: () => this.spec.parent.runtime.waitedMs(this.pid ?? 0),
      blocked: (ms) => this.#blocked(ms),
      unblocked: (ms) => this.#report("process.unblocked", { process: name, childPid: this.pid ?? 0, ms }),
    });
  }

  #blocked(ms: number): void {
    this.#report("process.blocked", { process: this.spec.name, childPid: this.pid ?? 0, ms });
    const { timeoutMs, onBlocked } = this.#plan.heartbeat;
    const why = `process gave no sign of life for ${formatTimeout(timeoutMs)}`;
    // One that never becomes ready would keep its broker's start waiting for ever.
    if (this.states.state === "cleaning" || onBlocked === "restart") this.#session.kill("SIGKILL", why);
  }

  #ready(cleanup: CleanupReceipt | null): void {
    const { events } = this.#options;
    const { states, link, pid } = this;
    const { name, parent: { runtime } } = this.spec;
    this.#clearStart?.();
    this.#leaveStarts();
    this.#cleanup = cleanup;
    if ((states.state !== "starting" && states.state !== "cleaning") || pid === null) return;
    if (link === undefined && this.spec.takesCalls !== false) return;
    // A program in another language has nothing to clean.
    if (states.state === "starting") this.#watch();
    this.#readyAt = this.#clock.now();
    if (!this.#isHosted) {
      this.#endMemoryWatch = watchMemory({
        runtime,
        pid,
        plan: this.#plan.memory,
        warn: (bytes, limitBytes) =>
          this.#report("process.memory", { process: name, childPid: pid, bytes, limitBytes }),
        recycle: (bytes, limitBytes) => events.tooLarge(this, bytes, limitBytes),
      });
    }
    states.become("ready");
    events.ready(this, link);
    this.#report("process.ready", { process: name, childPid: pid, ms: this.#readyAt - this.#startedAt });
  }

  #ended(end: ProcessEnd): void {
    const { parent, goal, runsProgram, program, newSession } = this.spec;
    this.#clearStart?.();
    this.#leaveStarts();
    this.#lent.end();
    this.#clearSignal?.();
    this.#endWatches();
    this.#droppedLimit.end();
    for (const limit of this.#logLimits.values()) limit.end();
    if (this.pid !== null) parent.guard?.remove(this.pid);
    const isNamed = program !== undefined && newSession === undefined;
    const reason = exitReason(end, runsProgram ? byProgram(end, goal) : isNamed ? byNamedProgram(end, goal) : "");
    const isSignalled = isByTermination(end) && this.#drainsBy === undefined;
    if (this.#wasAsked || !isSignalled) return this.#over(end, reason, this.#wasAsked);
    if (this.#endExpected) return this.#over(end, reason, true);
    this.#options.events.gone(this, reason);
    const clear = this.#clock.timer(TREE_SIGNAL_MS, () => this.#judge?.(false));
    this.#judge = (isExpected) => {
      clear();
      this.#judge = undefined;
      this.#over(end, reason, isExpected);
    };
  }

  #over(end: ProcessEnd, reason: ExitReason, asked: boolean): void {
    const { detail, fault: { exitCode, signal } } = reason;
    const exit = { exitCode, signal, reason: detail, expected: asked && end.why === null };
    const isJob = this.spec.takesCalls === false && this.#plan.restart.policy !== "always";
    if (isJob && !asked && !reason.failed && this.pid !== null) {
      this.#report("process.finished", { process: this.spec.name, childPid: this.pid, ms: this.uptimeMs });
    } else this.#report("process.exited", { process: this.spec.name, childPid: this.pid, ...exit });
    this.endQuestions();
    this.#options.events.ended(this, reason, asked);
    this.#settleEnded();
  }

  #dropped(what: string, count: number): void {
    this.#report("process.dropped", { process: this.spec.name, what, count });
  }

  #report<Id extends EventId>(event: Id, fields: EventFields[Id]): void {
    const { parent, module } = this.spec;
    parent.reporter.report(event, fields, { module });
  }

  #endWatches(): void {
    this.#heartbeat?.end();
    this.#endMemoryWatch?.();
  }
}

/** Whether the code of a module decides how often it is reported. */
function isOwnLine(event: EventId): boolean {
  return event.startsWith("module.") || event === "process.dropped";
}

/** What the end of a process means to its callers and to its restart policy. */
export interface ExitReason {
  /** For the calls that it can't answer any more. */
  readonly fault: BrokerFault<"GONE">;
  /** For the operator: the cause, where brokkr knows more than the exit. */
  readonly detail: string;
  /** Whether it ended otherwise than by a clean exit after it was ready. */
  readonly failed: boolean;
  readonly lasting: boolean;
  readonly wasReady: boolean;
}

/** What the runtimes say where a port is served already. */
const PORT_TAKEN = /EADDRINUSE|AddrInUse|address already in use|is port \d+ in use/i;

export function exitText({ code, signal }: ExitStatus): string {
  return signal === null ? `process exited with code ${code ?? "unknown"}` : `process was killed by ${signal}`;
}

/** @param hint what follows the cause for the operator. */
function exitReason(end: ProcessEnd, hint = ""): ExitReason {
  const { code: exitCode, signal, lastLines } = end;
  const exit = exitText(end);
  const where = end.cleaning === null ? "" : ` in the cleanup of module "${end.cleaning}"`;
  const reason = end.wasReady ? exit : "process did not start";
  const cause = end.why ?? (exitCode === null && signal === null ? reason : exit + where);
  const detail = cause + hint;
  const whyNotReady = end.wasReady || detail === reason ? {} : { detail };
  return {
    fault: { code: "GONE", reason, exitCode, signal, lastLines: [...lastLines], ...whyNotReady },
    detail,
    failed: exitCode !== 0 || end.why !== null || !end.wasReady,
    lasting: end.lasting === true,
    wasReady: end.wasReady,
  };
}

/** How the program's own code may be why a process was never ready, and what to do; empty where it is not. */
function byProgram({ code, why, wasReady, wasGreeted = true, lastLines }: ProcessEnd, goal: string): string {
  // What the module's own start throws is reported as such.
  if (wasReady || (wasGreeted && why !== null)) return "";
  const remedy = 'move it after that call, or set "program" to a file that only starts the broker';
  if (lastLines.some((line) => PORT_TAKEN.test(line))) {
    return `: code before ${goal} runs in this process too, and listens on a port that is taken, ${remedy}`;
  }
  if (wasGreeted || why !== null || code === null) return "";
  return ` before it reached ${goal}: code before that runs in this process too, ${remedy}`;
}

/** What the file in `program` has left out, where it ended without a word. */
function byNamedProgram({ code, why, wasReady, wasGreeted = true, lastLines }: ProcessEnd, goal: string): string {
  if (wasReady || wasGreeted || why !== null || code === null || lastLines.length > 0) return "";
  return ` before it reached ${goal}: the file in "program" has to come to that start`;
}
