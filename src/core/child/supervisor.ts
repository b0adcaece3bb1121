/**
 * A child that is kept running: started, watched, started again by its restart policy, replaced, stopped in good order. Its calls wait
 * while it is away and go on when it is back.
 */

import { type CallClient, type CallLimits, DEFAULT_LIMITS, newClient } from "../call/client.ts";
import { CallCounters } from "../call/outcomes.ts";
import { formatTimeout, sleep } from "../duration.ts";
import { type BrokerFault, goneFault, withLastLines } from "../faults.ts";
import { formatMebibytes } from "../log/field_types.ts";
import type { EventFields, EventId } from "../log/events.ts";
import { type ControlFromParent, INSPECTOR_MS } from "../wire/messages.ts";
import type { CleanupReceipt, CleanupStatus, ProcessState, ProcessStatus } from "../wire/status.ts";
import { type Answer, ChildProcess, type ChildProcessEvents, type ExitReason } from "./child_process.ts";
import type { ChildSpec } from "./child_spec.ts";
import { Restarts, StateMachine } from "./restart.ts";

const STOPPED = goneFault("process was stopped");
const NOT_STARTED = goneFault("process did not start");

const NO_CALLS = { code: "UNKNOWN_COMMAND", nearest: null } as const;

const INSPECT_MS = 5_000;

/** From one check to the next whether calls still run in a process that is being replaced. */
const IDLE_CHECK_MS = 100;

/** What a process uses that does not run. */
export const NO_MEMORY = { rssBytes: null, pssBytes: null, privateBytes: null };
/** States in which there is no process. */
const AWAY: readonly ProcessState[] = ["stopped", "failed", "backoff"];

export interface SupervisorEvents {
  workers?: ChildProcessEvents["workers"];
  /** The process has ended before it was ready, by itself. */
  notStarted?(fault: ExitReason["fault"]): void;
  /** The process has ended and will not be started again. */
  failed?(): void;
  changed?(): void;
}

export interface ReplaceOptions {
  /** What the new process is made with. @default what the old one was made with */
  readonly spec?: ChildSpec;
  /** Lets every call that runs in the old process end, however long it takes. @default false */
  readonly patient?: boolean;
}

export class Supervisor {
  readonly name: string;
  /** Calls to the process, whichever it is. */
  readonly caller: CallClient;
  #spec: ChildSpec;
  readonly #events: SupervisorEvents;
  readonly #counters = new CallCounters();
  readonly #restarts: Restarts;
  #states: StateMachine;
  /** The process that runs, or the last one that ran. */
  #child: ChildProcess | undefined;
  /** The process that is to take its place, and the spec that it has where that is another one. */
  #successor: ChildProcess | undefined;
  #successorSpec: ChildSpec | undefined;
  /** Those on their way out. */
  readonly #retired = new Set<ChildProcess>();
  #generation = 0;
  /** When it is started again, on the clock. */
  #restartAt: number | null = null;
  /** Why it is not started, or not yet. */
  #reason: string | null = null;
  #clearBackoff: (() => void) | undefined;
  /** Whether calls that wait are for the next process. */
  #restarting = false;
  #restart: { readonly stops: number; readonly done: Promise<void> } | undefined;
  #replacing: Promise<unknown> | undefined;
  #endExpected = false;
  /** Replacements that wait for their turn. */
  #replacements = 0;
  /** What the newest of them that brings a spec is made with; earlier ones are void. */
  #wanted: ChildSpec | undefined;
  /** How often a stop was wanted: a replacement that waited before is void. */
  #stops = 0;

  constructor(spec: ChildSpec, events: SupervisorEvents = {}) {
    const { name, module, parent: { runtime, reporter }, setup } = spec;
    this.#spec = spec;
    this.#events = events;
    this.name = name;
    this.#restarts = new Restarts(setup.supervision.restart, () => runtime.random());
    this.#states = this.#newStates();
    const { frameLimit } = setup;
    this.caller = newClient(runtime, {
      reporter,
      counters: this.#counters,
      module,
      limits: limitsOf(spec),
      frameLimit,
    });
    if (spec.takesCalls === false) this.caller.refuse(NO_CALLS);
  }

  get state(): ProcessState {
    return this.#states.state;
  }

  /** What the next process is made with. */
  get spec(): ChildSpec {
    return this.#spec;
  }

  get isSettled(): boolean {
    return this.#states.isSettled;
  }

  /** Starts the process; settles when it is ready, or that start has ended, though another may follow. */
  async start(): Promise<void> {
    this.#begin();
    await this.tried();
  }

  failToStart(reason: string): void {
    this.#states.become("failed");
    this.caller.refuse({ ...NOT_STARTED, detail: reason });
    this.#fail(reason);
  }

  get isWaiting(): boolean {
    return this.#child?.isWaiting ?? false;
  }

  /** Settles when the process may start, or has ended before. */
  async admitted(): Promise<void> {
    await this.#child?.admitted;
  }

  async settled(): Promise<void> {
    await this.#states.settled();
  }

  async tried(): Promise<void> {
    await this.#states.tried();
  }

  async stop(): Promise<void> {
    const since = this.#now;
    this.#restarting = false;
    this.#stops++;
    // Calls that are made from now on do not go to the process any more.
    this.caller.pause();
    await whatIsUnderWay();
    const hasRun = await this.#halt();
    for (const child of this.#retired) child.drain();
    await Promise.all([...this.#retired].map((child) => child.ended));
    if (hasRun) this.#report("process.stopped", { process: this.name, ms: this.#now - since });
    else this.#refuse(STOPPED);
  }

  /**
   * Stops the process and starts it again; settles when it is ready, or that start has ended. Calls wait meanwhile, and so do
   * others that ask for a restart; a stop meanwhile is the end.
   */
  async restart(): Promise<void> {
    // One that a stop came after does not start it any more.
    if (this.#restart?.stops !== this.#stops) {
      const done: Promise<void> = this.#startAgain().finally(() => {
        if (this.#restart?.done === done) this.#restart = undefined;
      });
      this.#restart = { stops: this.#stops, done };
    }
    await this.#restart.done;
  }

  /**
   * Puts a new process in the place of the one that runs, which goes on until the new one is ready, and for good where that fails.
   * Settles when the old one has ended; with false where it was kept. Another spec overtakes those that have not come up yet.
   */
  async replace(reason: string, options: ReplaceOptions = {}): Promise<boolean> {
    const { spec } = options;
    if (spec !== undefined) {
      this.#abandon();
      this.#wanted = spec;
    }
    const stops = this.#stops;
    this.#replacements++;
    const turn = (this.#replacing ?? Promise.resolve()).then(() => {
      this.#replacements--;
      const isVoid = stops !== this.#stops || (spec !== undefined && spec !== this.#wanted);
      return !isVoid && this.#replace(reason, options);
    });
    this.#replacing = turn;
    const wasReplaced = await turn;
    if (this.#replacing === turn) this.#wanted = undefined;
    return wasReplaced;
  }

  /** The broker ends, and stops this process in its turn: an end by a signal until then is part of that. */
  expectEnd(): void {
    this.#endExpected = true;
    this.#child?.expectEnd();
    this.#successor?.expectEnd();
  }

  /** The commands of the process; null before its first start has ended. */
  get commands(): readonly string[] | null {
    return this.#child?.commands ?? null;
  }

  /** Settles when the process has answered a ping: never where it is blocked, or does not run. */
  async ping(): Promise<void> {
    await (this.#child?.ping() ?? new Promise<never>(() => {}));
  }

  /** Asks the process that serves; see {@linkcode ChildProcess.ask}. */
  async ask(...question: Parameters<ChildProcess["ask"]>): Promise<Answer> {
    return await this.#child?.ask(...question) ?? { kind: "ended" };
  }

  /** Sends `message` to each process that runs: that which is to take the place of another one has had its hello, too. */
  sendToAll(message: ControlFromParent): void {
    for (const child of [this.#child, ...this.#retired, this.#successor]) child?.send(message);
  }

  /**
   * Opens or closes the inspector of the process, or of its worker number `worker`. Settles with its address, or null where it is
   * closed now. @throws {Error}
   */
  async inspect(open: boolean, worker: number | null = null): Promise<string | null> {
    const { name, state } = this;
    const child = this.#child;
    if (state !== "ready" || child === undefined) throw new Error(`Cannot inspect "${name}": it is ${state}`);
    const action = open ? "open" : "close";
    const answer = await child.ask((request) => ({ kind: "inspect", request, worker, action }), INSPECT_MS);
    const { url, error } = answer.kind === "inspected" ? answer : {
      url: null,
      error: answer.kind === "late"
        ? `it has not answered in ${formatTimeout(INSPECT_MS)}, its code blocks it`
        : "its process has ended",
    };
    if (error !== null) throw new Error(`Cannot inspect "${name}": ${error}`);
    if (url !== null && worker === null) {
      const fields = {
        process: name,
        childPid: child.pid ?? 0,
        address: url.replace(/^ws:\/\/([^/]+).*$/, "$1"),
        ms: INSPECTOR_MS,
      };
      this.#report("process.inspected", fields);
    }
    return url;
  }

  async status(): Promise<ProcessStatus> {
    const { name, state } = this;
    const child = AWAY.includes(state) ? undefined : this.#child;
    const pid = child?.pid ?? null;
    const cleanup = this.#child?.cleanup ?? null;
    return {
      name,
      state,
      pid,
      restarts: this.#restarts.total,
      uptimeMs: state === "ready" ? Math.round(child?.uptimeMs ?? 0) : 0,
      blocked: child?.isBlocked ?? false,
      nextRestartMs: this.#restartAt === null ? null : Math.max(0, Math.round(this.#restartAt - this.#now)),
      reason: this.#reason,
      memory: await this.#memory(pid),
      calls: this.#counters.counts(),
      latencyMs: this.#counters.latency(),
      cleanup: cleanup === null ? null : cleanupStatus(cleanup),
    };
  }

  async #memory(pid: number | null): Promise<ProcessStatus["memory"]> {
    const { runtime } = this.#spec.parent;
    if (pid === null) return NO_MEMORY;
    return pid === runtime.pid ? null : await runtime.memory(pid);
  }

  get #now(): number {
    return this.#spec.parent.runtime.clock.now();
  }

  #begin(): void {
    this.#endBackoff();
    if (this.#spec.takesCalls !== false) this.caller.expect();
    this.#child = this.#newChild(this.#spec, this.#states);
    this.#child.start();
  }

  #newStates(): StateMachine {
    return new StateMachine(this.name, () => this.#events.changed?.());
  }

  #newChild(spec: ChildSpec, states: StateMachine): ChildProcess {
    const made = new ChildProcess(spec, {
      states,
      caller: this.caller,
      generation: ++this.#generation,
      events: {
        ready: (child, link) => {
          if (child === this.#successor) this.#takeOver(child);
          if (link !== undefined) this.caller.connect(link);
        },
        leaving: (child) => {
          if (child === this.#child) this.caller.pause();
        },
        gone: (child, { fault }) => {
          if (child.link !== undefined) this.caller.disconnect(fault, child.link);
        },
        tooLarge: (child, bytes, limitBytes) => {
          if (child !== this.#child || this.#successor !== undefined) return;
          const reason = `it holds ${formatMebibytes(bytes)}, more than ${formatMebibytes(limitBytes)}`;
          void this.replace(reason, { patient: true });
        },
        workers: (workers) => this.#events.workers?.(workers),
        ended: (child, reason, asked) => this.#ended(child, reason, asked),
      },
    });
    if (this.#endExpected) made.expectEnd();
    return made;
  }

  async #startAgain(): Promise<void> {
    this.#restarting = true;
    this.caller.pause();
    const stops = this.#stops;
    await whatIsUnderWay();
    await this.#halt();
    if (stops !== this.#stops) return;
    this.#restarting = false;
    this.#restarts.byHand();
    await this.start();
  }

  async #replace(reason: string, { spec, patient = false }: ReplaceOptions): Promise<boolean> {
    const stops = this.#stops;
    if (spec === undefined) await this.tried();
    if (stops !== this.#stops) return false;
    const [old, since] = [this.#child, this.#now];
    const isAlone = [old?.spec, spec].some((one) => one?.takesCalls === false);
    if (this.state !== "ready" || old === undefined || old.pid === null || isAlone) {
      if (spec !== undefined) this.follow(spec);
      await this.restart();
      // One that was under way may have begun with the spec of before.
      if (stops === this.#stops && this.#child?.spec !== this.#spec) await this.restart();
      return this.state === "ready";
    }
    const states = this.#newStates();
    const successor = this.#newChild(spec ?? this.#spec, states);
    this.#report("process.replacing", { process: this.name, childPid: old.pid, reason });
    this.#successor = successor;
    this.#successorSpec = spec;
    successor.start();
    await states.settled();
    if (!this.#retired.has(old)) {
      // It is kept, unless it crashed meanwhile, or was started again with the same spec.
      await this.#restart?.done;
      return this.#child !== old && this.state === "ready";
    }
    const pids = { childPid: successor.pid ?? 0, oldPid: old.pid };
    this.#report("process.replaced", { process: this.name, ...pids, ms: this.#now - since });
    if (patient) await this.#idle(old);
    old.drain();
    await old.ended;
    return true;
  }

  /** Settles when no call waits for an answer from `child`, or there is no time any more. */
  async #idle({ link, states, spec }: ChildProcess): Promise<void> {
    const { clock } = spec.parent.runtime;
    while (link !== undefined && states.state === "ready" && this.#replacements === 0 && this.caller.outOn(link) > 0) {
      await sleep(clock, IDLE_CHECK_MS);
    }
  }

  #takeOver(child: ChildProcess): void {
    if (this.#child?.states.state === "ready") this.#retired.add(this.#child);
    // The old one may never answer the requests that it got, and its workers have successors too.
    this.#child?.endQuestions();
    const spec = this.#successorSpec;
    this.#successor = undefined;
    [this.#child, this.#states] = [child, child.states];
    this.#restarts.byHand();
    // Without another one, what came into force meanwhile stays.
    if (spec !== undefined) this.follow(spec);
  }

  /**
   * From the next start on the process is made with `spec`. The limits of its queue hold at once, that of concurrency with the next
   * process.
   */
  follow(spec: ChildSpec): void {
    this.#spec = spec;
    if (spec.takesCalls === false) this.caller.refuse(NO_CALLS);
    this.#restarts.follow(spec.setup.supervision.restart);
    this.caller.limit(limitsOf(spec));
  }

  /** What replacements that a stop has made void were to bring is not wanted any more. */
  forget(): void {
    this.#wanted = undefined;
  }

  #ended(child: ChildProcess, reason: ExitReason, asked: boolean): void {
    const successor = this.#successor;
    if (child === successor) return this.#keep(child, reason);
    if (child.link !== undefined) this.caller.disconnect(reason.fault, child.link);
    if (this.#retired.delete(child)) return child.states.become("stopped");
    if (asked) this.#stopped();
    else if (successor !== undefined) this.#takeOver(successor);
    else this.#decide(child.uptimeMs, reason);
  }

  #keep(successor: ChildProcess, { detail }: ExitReason): void {
    this.#successor = undefined;
    successor.states.become("failed");
    this.#report("process.kept", { process: this.name, childPid: this.#child?.pid ?? 0, reason: detail });
  }

  #decide(uptimeMs: number, { failed, lasting, wasReady, fault, detail }: ExitReason): void {
    const decision = this.#restarts.decide({ failed, lasting, uptimeMs, now: this.#now });
    if (decision.kind === "restart") {
      this.#states.become("backoff");
      this.#reason = detail;
      this.caller.startFailed(wasReady ? undefined : withLastLines(detail, fault));
      const { delayMs } = decision;
      this.#restartAt = this.#now + delayMs;
      this.#clearBackoff = this.#spec.parent.runtime.clock.timer(delayMs, () => this.#begin());
      this.#report("process.backoff", { process: this.name, delayMs, restarts: this.#restarts.total });
    } else {
      this.#refuse(fault);
      // One that is always to run, and ends well over and over, has failed at that.
      const hasFailed = failed || decision.why === "intensity";
      this.#states.become(hasFailed ? "failed" : "stopped");
      if (hasFailed) this.#fail(decision.why === "intensity" ? `${detail}, and it was restarted too often` : detail);
    }
    if (!wasReady) this.#events.notStarted?.(fault);
  }

  /** From now on every call is rejected, with `fault` where it takes calls at all. */
  #refuse(fault: BrokerFault): void {
    this.caller.refuse(this.#spec.takesCalls === false ? NO_CALLS : fault);
  }

  #fail(reason: string): void {
    this.#reason = reason;
    const remedy = `mend the cause, then run "brokkr restart ${this.name}"`;
    this.#report("process.failed", { process: this.name, reason, remedy });
    this.#events.failed?.();
  }

  #endBackoff(): void {
    this.#clearBackoff?.();
    this.#restartAt = null;
    this.#reason = null;
  }

  #abandon(): void {
    const successor = this.#successor;
    if (successor === undefined) return;
    // First: one that still waits for its start ends within its drain.
    this.#successor = undefined;
    this.#retired.add(successor);
    successor.drain();
  }

  /** Ends the process. False where none ran. */
  async #halt(): Promise<boolean> {
    this.#abandon();
    if (this.#wanted !== undefined) this.follow(this.#wanted);
    const { state } = this;
    if (state === "stopped") return false;
    if (state === "backoff" || state === "failed") {
      this.#stopped();
      return false;
    }
    this.caller.pause();
    const hasRun = !this.isWaiting;
    this.#child?.drain();
    await this.#states.is("stopped");
    return hasRun;
  }

  #stopped(): void {
    this.#endBackoff();
    this.#states.become("stopped");
    if (!this.#restarting) this.#refuse(STOPPED);
  }

  #report<Id extends EventId>(event: Id, fields: EventFields[Id]): void {
    const { parent, module } = this.#spec;
    parent.reporter.report(event, fields, { module });
  }
}

function limitsOf({ setup: { queue, concurrency } }: ChildSpec): CallLimits {
  const { calls, bytes, concurrency: unlimited } = DEFAULT_LIMITS;
  return { calls: queue ?? calls, bytes, concurrency: concurrency ?? unlimited };
}

/**
 * A log function or listener may ask for a stop or restart while it handles an event, which is before the process has become what the
 * event says.
 */
function whatIsUnderWay(): Promise<void> {
  return Promise.resolve();
}

function cleanupStatus(receipt: CleanupReceipt): CleanupStatus {
  const { ms, released, errors, modules, leftovers, before, after } = receipt;
  return {
    ms,
    released,
    errors,
    modules,
    privateBytesBefore: before.privateBytes,
    privateBytesAfter: after.privateBytes,
    pssBytesBefore: before.pssBytes,
    pssBytesAfter: after.pssBytes,
    heapBytesBefore: before.heapBytes,
    heapBytesAfter: after.heapBytes,
    openFilesBefore: before.openFiles,
    openFilesAfter: after.openFiles,
    leftovers,
  };
}
