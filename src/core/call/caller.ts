/**
 * The caller's side: takes calls to one callee, holds those that can't be sent yet, and hands the others to the exchange with the
 * callee's process.
 *
 * It outlives the callee's process: calls wait in the queue while there is none, and what was sent to one that ended is gone.
 *
 * @module
 */

import { type Codec, newCodec } from "../wire/codec.ts";
import type { Link } from "../wire/link.ts";
import { encodeParams } from "../wire/params.ts";
import type { Call } from "./call.ts";
import { CallTime } from "./call_time.ts";
import { CallReporter } from "./call_reporter.ts";
import type { CallerLimits, CallerOptions } from "./caller_options.ts";
import { Deadlines } from "./deadlines.ts";
import { Exchange } from "./exchange.ts";
import { Outcomes } from "./outcomes.ts";
import { ProgressFeed } from "./progress_feed.ts";
import { CallQueue } from "./queue.ts";
import { translateQueue } from "./translate.ts";
import type { BrokerFault } from "../faults.ts";

export class Caller {
  readonly tracesPromises: boolean;
  readonly #options: CallerOptions;
  readonly #lines: CallReporter;
  readonly #outcomes: Outcomes;
  readonly #queue: CallQueue;
  readonly #deadlines: Deadlines<Call>;
  #concurrency: number;
  #codec: Codec;
  #exchange: Exchange | undefined;
  /** Those whose link is being replaced: what was sent on them is still answered. */
  readonly #leaving = new Set<Exchange>();
  #refusal: BrokerFault | undefined;
  #paused = false;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.tracesPromises = options.tracesPromises === true;
    this.#codec = newCodec(options.codec ?? "compact");
    this.#lines = new CallReporter(options.reporter, options.module, options.ownFiles);
    this.#outcomes = new Outcomes(options.counters, this.#lines);
    this.#concurrency = options.limits.concurrency;
    this.#queue = new CallQueue(options.limits);
    this.#deadlines = new Deadlines(options.clock, () => this.#queue, (call) => this.#giveUp(call));
  }

  /** Calls that have no outcome yet. */
  get pending(): number {
    let pending = this.#queue.length + (this.#exchange?.waiting ?? 0);
    for (const exchange of this.#leaving) pending += exchange.waiting;
    return pending;
  }

  /** From now on `limits` hold; that of concurrency with the next link. */
  limit(limits: CallerLimits): void {
    this.#queue.limit(limits);
    this.#concurrency = limits.concurrency;
  }

  /** Makes a call that is new. It is settled once; a rejection is a fault, made an error where it is thrown. */
  submit(call: Call, params: readonly unknown[]): void {
    const { thread, signal, onProgress } = call.request;
    const where = thread ?? this.#options.thread();
    if (where !== undefined) call.thread = where;
    if (onProgress !== undefined) call.progress = new ProgressFeed(onProgress, this.#options.clock);
    const encoded = encodeParams(this.#codec, call.command, params, this.#options.frameLimit);
    const isFault = "code" in encoded;
    if (!isFault) call.params = encoded;
    const exchange = this.#queue.length === 0 ? this.#ready() : undefined;
    const fault = isFault ? encoded : this.#whyNot(call, signal, exchange);
    if (fault !== undefined) {
      if (!isFault) this.#codec.takeBack(encoded);
      this.#outcomes.reject(call, fault);
    } else {
      if (signal !== undefined) {
        // The signal of a stream that was left may be aborted while its handler ends.
        call.listen(signal, () => void (call.state === "cancelling" || this.#cancel(call, signal.reason)));
      }
      if (exchange !== undefined) exchange.send(call);
      else this.#wait(call);
    }
  }

  /** The caller of a stream has enough of it. */
  leave(call: Call): void {
    if (call.state === "settled" || call.state === "cancelling") return;
    call.isLeft = true;
    this.#cancel(call, undefined);
  }

  /** The callee's process is ready: what waits is sent to it. What is out on another link is still answered there. */
  connect(link: Link): void {
    if (this.#exchange !== undefined) this.#leaving.add(this.#exchange);
    this.#paused = false;
    this.#refusal = undefined;
    this.#speak(link);
    const { clock, counters } = this.#options;
    const [codec, concurrency, lines, outcomes] = [this.#codec, this.#concurrency, this.#lines, this.#outcomes];
    this.#exchange = new Exchange(link, { clock, codec, concurrency, counters, lines, outcomes });
    this.#pump();
  }

  /** The callee's process is about to end: what was sent goes on, what was not waits. */
  pause(): void {
    this.#paused = true;
  }

  /** The process behind `link` is gone: what was sent to it is rejected with `fault`, what was not goes on waiting. */
  disconnect(fault: BrokerFault, link: Link | undefined = this.#exchange?.link): void {
    const exchange = this.#of(link);
    if (exchange === this.#exchange) this.#exchange = undefined;
    else if (exchange !== undefined) this.#leaving.delete(exchange);
    exchange?.end(fault);
  }

  /** From now on every call is rejected with `fault`, those that wait included, until the next `connect` or `expect`. */
  refuse(fault: BrokerFault): void {
    this.#refusal = fault;
    this.disconnect(fault);
    for (const call of [...this.#queue]) this.#reject(call, fault);
    this.#deadlines.stop();
  }

  /** A process that serves is on its way: from now on calls wait for it. */
  expect(): void {
    this.#refusal = undefined;
  }

  /** Whether new calls go over `link`. */
  isConnectedTo(link: Link): boolean {
    return this.#exchange?.link === link;
  }

  /** How many calls wait for answers from the process behind `link`. */
  outOn(link: Link): number {
    return this.#of(link)?.waiting ?? 0;
  }

  /** Room in the transport: what waits may go on. */
  drained(): void {
    this.#pump();
  }

  /** @param link where the frame came from. @throws {BodyError} when the frame can't be understood. */
  answers(flags: number, body: Uint8Array, link: Link | undefined = this.#exchange?.link): void {
    this.#of(link)?.answers(flags, body);
    if (this.#queue.length > 0) this.#pump();
  }

  #of(link: Link | undefined): Exchange | undefined {
    if (link === undefined || link === this.#exchange?.link) return this.#exchange;
    for (const exchange of this.#leaving) if (exchange.link === link) return exchange;
    return undefined;
  }

  /** What waits is encoded as `link` wants it. */
  #speak(link: Link): void {
    const from = this.#codec;
    if (link.codec === from.name) return;
    const to = this.#codec = newCodec(link.codec);
    translateQueue(this.#queue, { from, to, frameLimit: this.#options.frameLimit }, this.#reject.bind(this));
  }

  /** Where a call can be sent to now. */
  #ready(): Exchange | undefined {
    return this.#paused || this.#exchange?.hasRoom !== true ? undefined : this.#exchange;
  }

  /** Why a call is rejected before it waits at all. */
  #whyNot(call: Call, signal: AbortSignal | undefined, exchange: Exchange | undefined): BrokerFault | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    if (signal?.aborted) {
      call.cancelCause = signal.reason;
      return call.cancelled(true);
    }
    return exchange === undefined ? this.#queue.fullFor(call) : undefined;
  }

  #wait(call: Call): void {
    call.time = CallTime.begin(this.#options.clock.now(), call);
    this.#queue.add(call);
    this.#deadlines.watch(call);
    this.#pump();
  }

  #pump(): void {
    while (this.#queue.length > 0) {
      const exchange = this.#ready();
      const call = exchange === undefined ? undefined : this.#queue.shift();
      if (call === undefined) return;
      exchange?.send(call);
    }
  }

  #cancel(call: Call, cause: unknown): void {
    call.cancelCause = cause;
    if (call.state !== "queued") call.exchange?.cancel(call);
    else if (call.isLeft) {
      this.#queue.remove(call);
      this.#outcomes.resolve(call, undefined, this.#options.clock.now());
    } else this.#reject(call, call.cancelled(true));
  }

  #giveUp(call: Call): void {
    const { endsAt, attemptEnds } = call.time;
    const timeoutMs = endsAt < attemptEnds ? call.totalTimeoutMs : call.timeoutMs;
    this.#reject(call, call.timedOut(timeoutMs, "blocked"));
  }

  /** A call that waits in the queue. */
  #reject(call: Call, fault: BrokerFault): void {
    if (call.state !== "queued") return;
    this.#queue.remove(call);
    this.#outcomes.reject(call, fault);
  }
}
