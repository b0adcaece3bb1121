/**
 * The caller's side: makes calls to one callee as promises, queues those that can't be sent yet, and hands the others to the
 * {@linkcode PendingCalls} of the callee's process.
 *
 * It outlives the callee's process: calls wait in the queue while there is none, and a call that was sent to a process that ended is
 * rejected.
 */

import type { Clock, Runtime } from "../../runtime/runtime.ts";
import { type BrokerFault, toError } from "../faults.ts";
import type { Reporter } from "../log/reporter.ts";
import { stackFrom } from "../log/stack.ts";
import { MODULE } from "../settings/settings.ts";
import { Codec, decoded, type EncodedValue, encodeParams, encodePayload, NOTHING_ENCODED } from "../wire/codec.ts";
import { type CodecName, DEFAULT_FRAME_LIMIT } from "../wire/frame.ts";
import type { Link } from "../wire/link.ts";
import { leastBytes, type Params } from "../wire/serializable.ts";
import { begun, Call, type CallRequest, ProgressFeed, type Settle } from "./call.ts";
import { CallCounters, Outcomes } from "./outcomes.ts";
import { Deadlines, PendingCalls } from "./attempts.ts";
import type { Caller } from "./stream.ts";

export interface CallClientOptions {
  readonly clock: Clock;
  /** What encodes calls before the first link decides it. @default "rich" */
  readonly codec?: CodecName;
  readonly reporter: Reporter;
  readonly counters: CallCounters;
  /** The module in the prefix of the lines; each request has the callee's own name. */
  readonly module: string;
  readonly limits: CallLimits;
  readonly frameLimit: number;
  /** Name of the context that makes a call, for its lines. */
  readonly thread: () => string | undefined;
  /** As the runtime says. @default false */
  readonly tracesPromises?: boolean;
  /** Where brokkr's own files are, for stacks. */
  readonly ownFiles: readonly string[];
}

export interface QueueLimits {
  readonly calls: number;
  readonly bytes: number;
}

export interface CallLimits extends QueueLimits {
  /** Calls that may be in flight at the same time. */
  readonly concurrency: number;
}

export const DEFAULT_LIMITS: CallLimits = {
  calls: MODULE.queue.default,
  bytes: 64 * 1024 * 1024,
  concurrency: Infinity,
};

/** A client whose clock, threads and stacks are those of `runtime`, by default without limits of its own. */
export function newClient(
  { clock, thread, tracesPromises, ownFiles }: Pick<Runtime, "clock" | "thread" | "tracesPromises" | "ownFiles">,
  options: Pick<CallClientOptions, "reporter" | "module"> & Partial<CallClientOptions>,
): CallClient {
  return new CallClient({
    clock,
    thread,
    tracesPromises,
    ownFiles,
    counters: new CallCounters(),
    limits: DEFAULT_LIMITS,
    frameLimit: DEFAULT_FRAME_LIMIT,
    ...options,
  });
}

/** The result of a call, and how often it was sent. */
export interface AnsweredCall {
  readonly value: unknown;
  readonly attempts: number;
}

export class CallClient implements Caller {
  readonly #options: CallClientOptions;
  readonly #outcomes: Outcomes;
  readonly #queue: CallQueue;
  readonly #deadlines: Deadlines<Call>;
  #concurrency: number;
  #codec: Codec;
  #current: PendingCalls | undefined;
  /** Those whose link was replaced or admitted beside others: the calls in flight on them are answered. */
  readonly #leaving = new Set<PendingCalls>();
  /** Those of them that take new calls, where several processes serve the same: the one that took a call last stands last. */
  #admitted: PendingCalls[] = [];
  #refusal: BrokerFault | undefined;
  #paused = false;
  /** Why calls wait for another start. */
  #notReady: string | undefined;
  /** Resolves the promise that was made last. One function for all promises: one of its own costs each as much as the promise. */
  #resolve: (outcome: unknown) => void = noPromise;
  readonly #takeResolve = (resolve: (outcome: unknown) => void) => void (this.#resolve = resolve);

  constructor(options: CallClientOptions) {
    this.#options = options;
    this.#codec = new Codec(options.codec ?? "rich");
    this.#outcomes = new Outcomes(options);
    this.#concurrency = options.limits.concurrency;
    this.#queue = new CallQueue(options.limits);
    this.#deadlines = new Deadlines(options.clock, () => this.#queue, (call) => this.#giveUp(call));
  }

  /** Calls that have no outcome yet. */
  get pending(): number {
    let count = this.#queue.length + (this.#current?.waiting ?? 0);
    for (const { waiting } of this.#leaving) count += waiting;
    return count;
  }

  /** Sets new limits; that of concurrency holds with the next link. */
  limit(limits: CallLimits): void {
    this.#queue.limit(limits);
    this.#concurrency = limits.concurrency;
  }

  /**
   * Makes a call and waits for its result.
   *
   * The error is made only where there is one, and late, when the stack leads to the code that awaits this call: calls that succeed
   * pay nothing for it. There it takes the way that the engine follows.
   *
   * @throws {BrokerError}
   */
  call(command: string, params: readonly unknown[], request: CallRequest): Promise<unknown> {
    if (this.#options.tracesPromises !== true) return this.#awaitCall(command, params, request);
    const promise = new Promise<unknown>(this.#takeResolve);
    this.submit(this.#newCall(command, request, rejectLater), params);
    return promise;
  }

  async #awaitCall(command: string, params: readonly unknown[], request: CallRequest): Promise<unknown> {
    const promise = new Promise<unknown>(this.#takeResolve);
    this.submit(this.#newCall(command, request, giveFault), params);
    const outcome = await promise;
    if (!(outcome instanceof Failure)) return outcome;
    throw stackFrom(toError(outcome.fault, { target: request.target, command }), this.#awaitCall);
  }

  /** A call that settles the promise that was made last. */
  #newCall(command: string, request: CallRequest, reject: Settle["reject"]): Call {
    const call = new Call(command, request, { resolve: this.#resolve, reject });
    // It holds the promise, and with it the result.
    this.#resolve = noPromise;
    return call;
  }

  /** The same, with the number of attempts. @throws {BrokerError} */
  async measure(command: string, params: readonly unknown[], request: CallRequest): Promise<AnsweredCall> {
    const outcome = await new Promise<AnsweredCall | Failure>((resolve) => {
      const settle: Settle = {
        resolve: (value, attempts) => resolve({ value, attempts }),
        reject: (fault) => resolve(new Failure(fault)),
      };
      this.submit(new Call(command, request, settle), params);
    });
    if (!(outcome instanceof Failure)) return outcome;
    throw stackFrom(toError(outcome.fault, { target: request.target, command }), this.measure);
  }

  /** Sends or queues a new call, which is settled once: with its result, or with the fault that becomes an error where it is thrown. */
  submit(call: Call, params: Params): void {
    const { thread, signal, onProgress, relay } = call.request;
    const where = thread ?? this.#options.thread();
    if (where !== undefined) call.thread = where;
    if (onProgress !== undefined) call.progress = new ProgressFeed(onProgress, this.#options.clock);
    else if (relay !== undefined) call.progress = relay;
    const pending = this.#queue.length === 0 ? this.#ready() : undefined;
    const full = this.#rejectUnwritten(call, params, pending);
    if (full !== undefined) return this.#outcomes.reject(call, full);
    const encoded = encodeParams(this.#codec, call.command, params, this.#options.frameLimit);
    const isFault = "code" in encoded;
    if (!isFault) call.params = encoded;
    const fault = isFault ? encoded : this.#rejectReason(call, signal, pending);
    if (fault !== undefined) {
      if (!isFault) this.#codec.release(encoded);
      this.#outcomes.reject(call, fault);
    } else {
      if (signal !== undefined) {
        // The signal of a stream that was left may be aborted while its handler ends.
        call.listen(signal, () => void (call.state === "cancelling" || this.#cancel(call, signal.reason)));
      }
      if (pending !== undefined) pending.send(call);
      else this.#wait(call);
    }
  }

  cancel(call: Call): void {
    if (call.state !== "settled" && call.state !== "cancelling") this.#cancel(call, undefined);
  }

  leave(call: Call): void {
    if (call.state === "settled" || call.state === "cancelling") return;
    call.isLeft = true;
    this.#cancel(call, undefined);
  }

  /** The callee's process is ready: queued calls are sent to it. Those in flight on another link are still answered there. */
  connect(link: Link): void {
    if (this.#current !== undefined) this.#leaving.add(this.#current);
    this.#paused = false;
    this.#refusal = undefined;
    this.#notReady = undefined;
    this.#translateTo(link);
    const [codec, concurrency, outcomes] = [this.#codec, this.#concurrency, this.#outcomes];
    this.#current = new PendingCalls(link, { clock: this.#options.clock, codec, concurrency, outcomes });
    this.#pump();
  }

  /**
   * Several processes serve the same: from now on each call that was not sent yet goes over one of `links`, to the process that has the
   * fewest calls in flight; without any it waits. Calls in flight on other links are answered there.
   */
  admit(links: readonly Link[]): void {
    const [codec, concurrency, outcomes] = [this.#codec, this.#concurrency, this.#outcomes];
    this.#admitted = links.map((link) => {
      const pending = this.#pendingOn(link) ??
        new PendingCalls(link, { clock: this.#options.clock, codec, concurrency, outcomes });
      this.#leaving.add(pending);
      return pending;
    });
    if (links.length === 0) return;
    this.#refusal = undefined;
    this.#pump();
  }

  /** The callee's process is about to end: calls in flight go on, the others wait. */
  pause(): void {
    this.#paused = true;
  }

  /** The process behind `link` is gone: calls that were sent to it are rejected with `fault`, queued ones wait for the next. */
  disconnect(fault: BrokerFault, link: Link | undefined = this.#current?.link): void {
    const pending = this.#pendingOn(link);
    this.#admitted = this.#admitted.filter((other) => other !== pending);
    if (pending === this.#current) this.#current = undefined;
    else if (pending !== undefined) this.#leaving.delete(pending);
    pending?.end(fault);
  }

  /** From now on every call is rejected with `fault`, queued ones included, until the next `connect` or `expect`. */
  refuse(fault: BrokerFault): void {
    this.#refusal = fault;
    this.disconnect(fault);
    for (const call of [...this.#queue]) this.#reject(call, fault);
    this.#deadlines.stop();
  }

  /** The callee's start has failed, and another one follows: a call that waits for it in vain says `why`. */
  startFailed(why: string | undefined): void {
    this.#notReady = why;
  }

  /** A process that will serve is starting: from now on calls wait for it. */
  expect(): void {
    this.#refusal = undefined;
  }

  /** Whether new calls go over `link`. */
  isConnectedTo(link: Link): boolean {
    return this.#current?.link === link;
  }

  /** How many calls wait for answers from the process behind `link`. */
  outOn(link: Link): number {
    return this.#pendingOn(link)?.waiting ?? 0;
  }

  /** The transport has room again. */
  drained(): void {
    this.#pump();
  }

  /** @param link where the frame came from. @throws {BodyError} when the frame can't be understood. */
  answers(flags: number, body: Uint8Array, link: Link | undefined = this.#current?.link): void {
    this.#pendingOn(link)?.answers(flags, body);
    if (this.#queue.length > 0) this.#pump();
  }

  /** Any bytes prove that the callee is alive; ours also say which calls it has passed on to a process that is silent. */
  pong(body: Uint8Array, link: Link | undefined = this.#current?.link): void {
    this.#pendingOn(link)?.silences(body);
  }

  #pendingOn(link: Link | undefined): PendingCalls | undefined {
    if (link === undefined || link === this.#current?.link) return this.#current;
    for (const pending of this.#leaving) if (pending.link === link) return pending;
    return undefined;
  }

  /** Queued calls are encoded again where `link` has another codec. */
  #translateTo(link: Link): void {
    if (link.codec === this.#codec.name) return;
    this.#codec = new Codec(link.codec);
    for (const call of [...this.#queue]) {
      // JSON alone is the same in every codec.
      if (call.params.places.length === 0) continue;
      const params = encodePayload(this.#codec, decoded(call.params), "params", this.#options.frameLimit);
      if ("code" in params) this.#reject(call, params);
      else this.#queue.change(call, params);
    }
  }

  /** Where a call can be sent to now. */
  #ready(): PendingCalls | undefined {
    if (this.#admitted.length > 0) return this.#leastBusy();
    return this.#paused || this.#current?.canSend !== true ? undefined : this.#current;
  }

  /** Of those that are equal the one that has waited longest for a call. */
  #leastBusy(): PendingCalls | undefined {
    let least: PendingCalls | undefined;
    for (const pending of this.#admitted) {
      if (pending.canSend && (least === undefined || pending.waiting < least.waiting)) least = pending;
    }
    if (least !== undefined && this.#admitted.length > 1) {
      this.#admitted.splice(this.#admitted.indexOf(least), 1);
      this.#admitted.push(least);
    }
    return least;
  }

  /** Why a call is rejected that has no room in any case: what is written in vain fills the memory of a caller that goes on. */
  #rejectUnwritten(
    call: Call,
    params: Params,
    pending: PendingCalls | undefined,
  ): BrokerFault | undefined {
    if (pending !== undefined || !this.#queue.isNearlyFull) return undefined;
    const { frameLimit } = this.#options;
    const bytes = leastBytes(params, frameLimit);
    if (bytes >= frameLimit) return undefined;
    call.params = { ...NOTHING_ENCODED, bytes };
    return this.#rejectReason(call, call.request.signal, pending);
  }

  /** Why a call is rejected before it waits at all. */
  #rejectReason(
    call: Call,
    signal: AbortSignal | undefined,
    pending: PendingCalls | undefined,
  ): BrokerFault | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    if (signal?.aborted) {
      call.cancelCause = signal.reason;
      return call.cancelled(true);
    }
    return pending === undefined ? this.#queue.checkCapacity(call) : undefined;
  }

  #wait(call: Call): void {
    call.time = begun(this.#options.clock.now(), call);
    this.#queue.add(call);
    this.#deadlines.watch(call);
    this.#pump();
  }

  #pump(): void {
    while (this.#queue.length > 0) {
      const pending = this.#ready();
      const call = pending === undefined ? undefined : this.#queue.shift();
      if (call === undefined) return;
      pending?.send(call);
    }
  }

  #cancel(call: Call, cause: unknown): void {
    call.cancelCause = cause;
    if (call.state !== "queued") call.pending?.cancel(call);
    else if (call.isLeft) {
      this.#queue.remove(call);
      this.#outcomes.resolve(call, undefined, this.#options.clock.now());
    } else this.#reject(call, call.cancelled(true));
  }

  #giveUp(call: Call): void {
    const { endsAt, attemptEnds } = call.time;
    const timeoutMs = endsAt < attemptEnds ? call.totalTimeoutMs : call.timeoutMs;
    const fault = call.timedOut(timeoutMs, "blocked");
    this.#reject(call, this.#notReady === undefined ? fault : { ...fault, detail: this.#notReady });
  }

  /** Only a queued call. */
  #reject(call: Call, fault: BrokerFault): void {
    if (call.state !== "queued") return;
    this.#queue.remove(call);
    this.#outcomes.reject(call, fault);
  }
}

function noPromise(): void {}

class Failure {
  readonly fault: BrokerFault;

  constructor(fault: BrokerFault) {
    this.fault = fault;
  }
}

/** Both ends of a call go to one function: the error is made later, where it is thrown. */
function giveFault(fault: BrokerFault, call: Call): void {
  call.resolve(new Failure(fault), call.attempt);
}

/** A rejection is a promise that is rejected later: when its error is made, its stack leads through both to the code that awaits them. */
function rejectLater(fault: BrokerFault, call: Call): void {
  call.resolve(throwLater(fault, call), call.attempt);
}

async function throwLater(fault: BrokerFault, { target, command }: Call): Promise<never> {
  // The first turn joins this promise to the one that is awaited.
  await undefined;
  await undefined;
  throw stackFrom(toError(fault, { target, command }), throwLater);
}

/** Calls that can't be sent yet, first in first out, bounded by count and bytes. */
export class CallQueue {
  #limits: QueueLimits;
  readonly #calls = new Set<Call>();
  /** Goes on where it stopped: a new iterator would step over the places of all calls that were removed before. */
  #front = this.#calls.values();
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Sets new limits; queued calls stay. */
  limit(limits: QueueLimits): void {
    this.#limits = limits;
  }

  get length(): number {
    return this.#calls.size;
  }

  /** Whether there is no room for many more, so that it pays to look at the size of one before it is written. */
  get isNearlyFull(): boolean {
    return this.#bytes > this.#limits.bytes / 2;
  }

  /** Why there is no room for `call`, if there is none. */
  checkCapacity(call: Call): BrokerFault | undefined {
    const { calls, bytes } = this.#limits;
    if (this.#calls.size >= calls) return { code: "QUEUE_FULL", depth: this.#calls.size, limit: calls };
    if (this.#bytes + call.params.bytes > bytes) return { code: "QUEUE_FULL", depth: this.#bytes, limit: bytes };
    return undefined;
  }

  add(call: Call): void {
    this.#calls.add(call);
    this.#bytes += call.params.bytes;
  }

  remove(call: Call): void {
    if (this.#calls.delete(call)) this.#bytes -= call.params.bytes;
  }

  /** Gives `call` its parameters in another codec. */
  change(call: Call, params: EncodedValue): void {
    if (this.#calls.has(call)) this.#bytes += params.bytes - call.params.bytes;
    call.params = params;
  }

  shift(): Call | undefined {
    let next = this.#front.next();
    if (next.done === true) {
      this.#front = this.#calls.values();
      next = this.#front.next();
    }
    if (next.done === true) return undefined;
    this.remove(next.value);
    return next.value;
  }

  [Symbol.iterator](): Iterator<Call> {
    return this.#calls[Symbol.iterator]();
  }
}
