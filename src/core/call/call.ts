/**
 * One call from the side of its caller: what the program asks for, the states that it goes through, and when something is due for it.
 *
 *     queued --> sent --> retried          each of the three may go to
 *                                          settled (in one outcome), and sent and retried also to
 *                                          cancelling --> settled
 */

import type { Clock } from "../../runtime/runtime.ts";
import type { BrokerFault } from "../faults.ts";
import type { CallOptions } from "../module/definition.ts";
import type { ModuleCallSettings } from "../settings/settings.ts";
import { inspect, keysOf, refuseUnknown } from "../checks.ts";
import type { CallEntry } from "../wire/columns.ts";
import type { CallHeaders } from "../wire/messages.ts";
import { type EncodedValue, NOTHING_ENCODED } from "../wire/codec.ts";

/** What a program asks for of one call, beside its command and parameters. */
export interface CallRequest {
  readonly target: string;
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  readonly thread?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For the whole call, whatever progress it makes. @default no limit */
  readonly totalTimeoutMs?: number | undefined;
  /** Gets what the handler passes to `progress`. What it throws is an uncaught error of this process. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** Gets each item and its bytes, where the call is a stream. */
  readonly onItem?: ((item: unknown, bytes: number) => void) | undefined;
  readonly wire?: CallHeaders | undefined;
  /**
   * Where the call was passed on for another process, which writes its lines, and gives it up first. A plain value that comes back is a
   * {@link PlainValue} on its way there. @default it was not
   */
  readonly passedOn?: boolean | undefined;
  /** Gets the same as `onProgress`, at once. */
  readonly relay?: Relay | undefined;
}

/** What a call brings before its answer, on its way to the process that it was passed on for. */
export interface Relay {
  /** A value that its handler passed to `progress`. */
  push(value: unknown): void;
  /** The callee has sent nothing for so many milliseconds although it was pinged, or with null sends again. */
  silent?(ms: number | null): void;
}

/** A call that is passed on has so many times the timeout of its first caller: more than two attempts, so that the caller gives up first. */
export const PASSING_PATIENCE = 3;

/** The keys of a call's options; the compiler asks for each. */
const KEYS = keysOf<CallOptions>({
  timeoutMs: true,
  totalTimeoutMs: true,
  retry: true,
  onProgress: true,
  signal: true,
  thread: true,
});

/** What holds for the calls of one target where their own options do not say it. */
export interface CallDefaults {
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  /** For single commands. */
  readonly calls?: ReadonlyMap<string, Omit<CallDefaults, "calls">> | undefined;
}

/** Those of a target whose settings are `own`. */
export function defaultsOf(base: CallDefaults, own: ModuleCallSettings | undefined): CallDefaults {
  if (own === undefined) return base;
  const { timeoutMs = base.timeoutMs, retry = base.retry, calls = {} } = own;
  const each = Object.entries(calls).map(([command, call]) => [command, { timeoutMs, retry, ...call }] as const);
  return { timeoutMs, retry, calls: each.length === 0 ? undefined : new Map(each) };
}

/** Of a call without options, which need no check. */
export const NO_OPTIONS: CallOptions = {};

/** The options of a call, checked, over the defaults of its target. @throws {TypeError} that says what is wrong and what is right. */
export function checkedRequest(
  call: { readonly target: string; readonly command: string; readonly params: unknown },
  options: CallOptions,
  defaults: CallDefaults,
  wireOf?: (timeoutMs: number) => CallHeaders,
): CallRequest {
  const { target, command, params } = call;
  if (typeof command !== "string") {
    throw new TypeError(`Cannot call module "${target}": a command is a text, and it is ${inspect(command)}`);
  }
  if (!Array.isArray(params)) {
    throw new TypeError(`Cannot call command "${command}": params must be a list, and it is ${inspect(params)}`);
  }
  if (options !== NO_OPTIONS) checkOptions(`Cannot call command "${command}"`, options);
  const held = defaults.calls?.get(command) ?? defaults;
  const { retry = held.retry, timeoutMs = held.timeoutMs, totalTimeoutMs, signal, thread, onProgress } = options;
  const wire = wireOf?.(timeoutMs);
  return { target, timeoutMs, totalTimeoutMs, retry, signal, thread, onProgress, wire };
}

function checkOptions(at: string, options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`${at}: its options must be an object, and it is ${inspect(options)}`);
  }
  refuseUnknown(at, options, KEYS);
  const { timeoutMs, totalTimeoutMs, retry, onProgress, signal, thread }: Unchecked = options;
  if (timeoutMs !== undefined && !isTimeout(timeoutMs)) throw wrongTimeout(`${at}: timeoutMs`, timeoutMs);
  if (totalTimeoutMs !== undefined && !isTimeout(totalTimeoutMs)) {
    throw wrongTimeout(`${at}: totalTimeoutMs`, totalTimeoutMs);
  }
  if (retry !== undefined && retry !== "once" && retry !== "never") {
    throw new TypeError(`${at}: retry must be "once" or "never", and it is ${inspect(retry)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError(`${at}: onProgress must be a function, and it is ${inspect(onProgress)}`);
  }
  if (signal !== undefined && !isSignal(signal)) {
    throw new TypeError(`${at}: signal must be an AbortSignal, and it is ${inspect(signal)}`);
  }
  if (thread !== undefined && typeof thread !== "string") {
    throw new TypeError(`${at}: thread must be a text, and it is ${inspect(thread)}`);
  }
}

type Unchecked = { readonly [K in keyof CallOptions]?: unknown };

/** By the members that are used: a signal of another realm or of a library is one too. */
export function isSignal(value: unknown): boolean {
  return typeof value === "object" && value !== null && "aborted" in value && typeof value.aborted === "boolean" &&
    "addEventListener" in value && typeof value.addEventListener === "function" &&
    "removeEventListener" in value && typeof value.removeEventListener === "function";
}

function isTimeout(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function wrongTimeout(what: string, value: unknown): TypeError {
  return new TypeError(`${what} must be a number of milliseconds above 0, and it is ${String(value)}`);
}

/** Why a call was cancelled whose results nobody reads any more: that is no failure, and has no line. */
export const LEFT = Symbol("left");

export type CallState = "queued" | "sent" | "retried" | "cancelling" | "settled";

/** Where the end of a call goes. A call keeps the functions one by one, so that calls can share them. */
export interface Settle {
  readonly resolve: (value: unknown, attempts: number) => void;
  readonly reject: (fault: BrokerFault, call: Call) => void;
}

/** The calls that were sent to one process; of those, one is ended or its time set by what its caller does. */
export interface SentCalls {
  cancel(call: Call): void;
  /** The caller of a stream waits for its next item: the callee's time runs again. */
  expect(call: Call): void;
  /** The caller of a stream has taken `count` items since it began: the callee may send as many more. */
  took(call: Call, count: number): void;
  /** The callee of a stream sends more than it has credit for, which would fill the memory. */
  overrun(call: Call): void;
}

export class Call implements TimeLimits, CallEntry {
  readonly command: string;
  /** Encoded once, for every attempt; nothing before it is submitted. */
  params: EncodedValue = NOTHING_ENCODED;
  readonly resolve: Settle["resolve"];
  readonly #reject: Settle["reject"];
  readonly #request: CallRequest;
  time = NOT_BEGUN;
  /** The link's calls that it is one of, once it is sent. */
  pending: SentCalls | null = null;
  /** 0 until it is sent: ids are assigned in the order of sending, so that the callee can tell a lost call from an old one. */
  id = 0;
  /** How often it was sent. */
  attempt = 0;
  // What few calls have takes no memory in the others.
  /** Whether the caller of a stream wants no more of it: then it ends well when its handler has ended. */
  declare isLeft?: true;
  /** Whether its frame was sent again because another answer came. */
  declare resent?: true;
  declare cancelCause?: unknown;
  /** Name of the context that made it, for its lines. @default `MAIN_THREAD` */
  declare thread?: string;
  /** Where its progress goes. @default nowhere */
  declare progress?: Relay;
  /** Since when a process that the callee passed it on to has sent nothing, on the clock; undefined where it sends. */
  declare silentSince?: number | undefined;
  /** Whether the process that it was passed on for knows that the callee is silent. */
  declare isKnownSilent?: boolean;
  /** Stops listening to the caller's signal. */
  declare forget?: () => void;
  #state: CallState = "queued";

  constructor(command: string, request: CallRequest, settle: Settle) {
    this.command = command;
    this.resolve = settle.resolve;
    this.#reject = settle.reject;
    this.#request = request;
  }

  /** What the program asked for; `options` is the part of it that is sent. */
  get request(): CallRequest {
    return this.#request;
  }

  get options(): CallHeaders | null {
    return this.#request.wire ?? null;
  }

  /** The callee's name in lines and errors. */
  get target(): string {
    return this.#request.target;
  }

  get timeoutMs(): number {
    return this.#request.timeoutMs;
  }

  get totalTimeoutMs(): number {
    return this.#request.totalTimeoutMs ?? Infinity;
  }

  get retry(): "once" | "never" {
    return this.#request.retry;
  }

  /** Without lines: the process that it was passed on for writes them. */
  get passedOn(): boolean {
    return this.#request.passedOn === true;
  }

  get onItem(): ((item: unknown, bytes: number) => void) | null {
    return this.#request.onItem ?? null;
  }

  get state(): CallState {
    return this.#state;
  }

  /** Whether it waits for its answer. */
  get isOut(): boolean {
    return this.#state === "sent" || this.#state === "retried";
  }

  /** When something is due; never once it is settled. */
  get deadline(): number {
    return this.#state === "settled" ? Infinity : this.time.deadline;
  }

  /** Until the call is settled, `cancel` runs when `signal` is aborted. */
  listen(signal: AbortSignal, cancel: () => void): void {
    this.forget = onAbort(signal, cancel);
  }

  reject(fault: BrokerFault): void {
    this.#reject(fault, this);
  }

  /** Settled: the caller's signal no longer matters. */
  end(): void {
    this.become("settled");
    this.forget?.();
  }

  /** @param acknowledged whether it is certain that the call does not run. */
  cancelled(acknowledged: boolean): BrokerFault {
    const cause = this.cancelCause;
    return { code: "CANCELLED", acknowledged, ...(cause === undefined ? {} : { cause }) };
  }

  /** @param timeoutMs the time that is over. */
  timedOut(timeoutMs: number, peer: "blocked" | "slow"): BrokerFault<"TIMEOUT"> {
    return { code: "TIMEOUT", timeoutMs, attempts: this.attempt, sent: this.#state !== "queued", peer };
  }

  become(state: CallState): void {
    if (!mayFollow(this.#state, state)) throw new Error(`Cannot make a call ${state}: it is ${this.#state}`);
    this.#state = state;
  }
}

function mayFollow(now: CallState, next: CallState): boolean {
  switch (next) {
    case "queued":
      return false;
    case "sent":
      return now === "queued";
    case "retried":
      return now === "sent";
    case "cancelling":
      return now === "sent" || now === "retried";
    case "settled":
      return now !== "settled";
  }
}

/** One listener for each signal, however many calls it cancels: Node warns of a leak beyond ten. */
interface Listening {
  readonly cancels: Set<() => void>;
  readonly end: () => void;
}

const listening = new WeakMap<AbortSignal, Listening>();

/** Runs `cancel` when `signal` is aborted. Returns the function that stops listening. */
function onAbort(signal: AbortSignal, cancel: () => void): () => void {
  const { cancels, end } = listening.get(signal) ?? listen(signal);
  cancels.add(cancel);
  return () => {
    if (cancels.delete(cancel) && cancels.size === 0) end();
  };
}

function listen(signal: AbortSignal): Listening {
  const cancels = new Set<() => void>();
  const aborted = () => {
    // One that is cancelled may settle others, which must not be cancelled then.
    for (const cancel of cancels) if (cancels.delete(cancel)) cancel();
    end();
  };
  const end = () => {
    listening.delete(signal);
    try {
      signal.removeEventListener("abort", aborted);
    } catch {
      // A signal of the program's own making may keep its listener, which then does nothing.
    }
  };
  const made = { cancels, end };
  signal.addEventListener("abort", aborted);
  listening.set(signal, made);
  return made;
}

/**
 * Passes progress to the program's function, outside of the work on frames and in the `AsyncLocalStorage` context of the call: an
 * async function goes on after each `await` in the context in which it was called.
 */
export class ProgressFeed {
  readonly #listener: (value: unknown) => void;
  readonly #clock: Clock;
  #values: unknown[] = [];
  #wake: () => void = () => {};

  constructor(listener: (value: unknown) => void, clock: Clock) {
    this.#listener = listener;
    this.#clock = clock;
    void this.#run();
  }

  /** Reaches the listener before the code that awaits the call goes on. */
  push(value: unknown): void {
    if (this.#values.push(value) === 1) this.#wake();
  }

  async #run(): Promise<never> {
    for (;;) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      const values = this.#values;
      this.#values = [];
      for (const value of values) this.#give(value);
    }
  }

  #give(value: unknown): void {
    try {
      this.#listener.call(undefined, value);
    } catch (error) {
      this.#clock.throwUncaught(error);
    }
  }
}

export interface TimeLimits {
  /** For one attempt. */
  readonly timeoutMs: number;
  /** Whether another process has it. */
  readonly passedOn: boolean;
  /** For the whole call; Infinity where it has no such limit. */
  readonly totalTimeoutMs: number;
}

/**
 * The times of a call, on the clock in milliseconds. They never change: calls that begin together with the same limits share theirs,
 * since numbers of its own would cost each call more than the frame in which it is sent.
 */
export interface CallTime extends TimeLimits {
  /** When the call's time began to run; -1 before. */
  readonly startedAt: number;
  /** When the current attempt is over; `deadline` may be earlier, for the ping. */
  readonly attemptEnds: number;
  /** When the call is over, whatever progress it makes. */
  readonly endsAt: number;
  /** When something is due. */
  readonly deadline: number;
  /** When the callee was last sent a ping, or -1. */
  readonly probedAt: number;
}

/** Of a call whose time has not begun. */
export const NOT_BEGUN: CallTime = {
  timeoutMs: Infinity,
  totalTimeoutMs: Infinity,
  passedOn: false,
  startedAt: -1,
  attemptEnds: Infinity,
  endsAt: Infinity,
  deadline: Infinity,
  probedAt: -1,
};

/** The time begins at `now`. */
export function begun(now: number, { timeoutMs, totalTimeoutMs, passedOn }: TimeLimits): CallTime {
  const [attemptEnds, endsAt] = [now + timeoutMs, now + totalTimeoutMs];
  const deadline = Math.min(attemptEnds, endsAt);
  return { timeoutMs, totalTimeoutMs, passedOn, startedAt: now, attemptEnds, endsAt, deadline, probedAt: -1 };
}

/** Whether the time has begun, with these limits. */
export function isTimeOf(time: CallTime, { timeoutMs, totalTimeoutMs, passedOn }: TimeLimits): boolean {
  return time.startedAt >= 0 && timeoutMs === time.timeoutMs && totalTimeoutMs === time.totalTimeoutMs &&
    passedOn === time.passedOn;
}

/** The callee is sent a ping after half of the first caller's time: most calls are answered before. */
export function probing(time: CallTime): CallTime {
  // Not spread, since each frame of calls makes one.
  const { timeoutMs, totalTimeoutMs, passedOn, startedAt, attemptEnds, endsAt } = time;
  const deadline = endOf(time) - limitMs(time) + callersMs(time) / 2;
  return { timeoutMs, totalTimeoutMs, passedOn, startedAt, attemptEnds, endsAt, deadline, probedAt: -1 };
}

/** A new attempt, or progress: the callee has the whole time for its answer again. */
export function renewed(time: CallTime, now: number): CallTime {
  return probing({ ...time, attemptEnds: now + time.timeoutMs });
}

/** The callee was sent a ping. A call that is passed on looks often enough that its first caller knows before it gives up. */
export function probed(time: CallTime, now: number): CallTime {
  const next = time.passedOn ? now + callersMs(time) / 4 : Infinity;
  return { ...time, probedAt: now, deadline: Math.min(endOf(time), next) };
}

/** Until it is renewed no answer is expected: the caller has items that it has not taken yet. */
export function resting(time: CallTime): CallTime {
  return { ...time, attemptEnds: Infinity, deadline: time.endsAt };
}

function endOf({ attemptEnds, endsAt }: CallTime): number {
  return Math.min(attemptEnds, endsAt);
}

/** The time that the first caller gives it. */
function callersMs(limits: TimeLimits): number {
  return limits.passedOn ? limitMs(limits) / PASSING_PATIENCE : limitMs(limits);
}

function limitMs({ timeoutMs, totalTimeoutMs }: TimeLimits): number {
  return Math.min(timeoutMs, totalTimeoutMs);
}
