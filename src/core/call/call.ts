/**
 * One call from the side of its caller: what it carries and the states it goes through.
 *
 *     queued ──▶ sent ──▶ retried          each of the three may go to
 *                                          settled (in one outcome), and sent and retried also to
 *                                          cancelling ──▶ settled
 *
 * @module
 */

import type { CallEntry } from "../wire/batch.ts";
import type { CallHeaders } from "../wire/call_headers.ts";
import type { EncodedValue } from "../wire/codec.ts";
import { CallTime, type TimeLimits } from "./call_time.ts";
import { NOTHING_ENCODED } from "../wire/params.ts";
import { onAbort } from "./on_abort.ts";
import type { SubmitOptions } from "./caller_options.ts";
import type { Timed } from "./deadlines.ts";
import type { Exchange } from "./exchange.ts";
import type { ProgressFeed } from "./progress_feed.ts";
import type { BrokerFault } from "../faults.ts";

export type CallState = "queued" | "sent" | "retried" | "cancelling" | "settled";

/** How who made a call learns of its end. Functions that a call keeps one by one: whoever makes calls may share them. */
export interface Settle {
  readonly resolve: (value: unknown, attempts: number) => void;
  readonly reject: (fault: BrokerFault, call: Call) => void;
}

export class Call implements Timed, TimeLimits, CallEntry {
  readonly command: string;
  /** Encoded once, for every attempt; nothing before it is submitted. */
  params: EncodedValue = NOTHING_ENCODED;
  readonly resolve: Settle["resolve"];
  readonly #reject: Settle["reject"];
  readonly #request: SubmitOptions;
  /** When it began, and when it is over. */
  time = CallTime.NONE;
  /** Where it was sent, if it was. */
  exchange: Exchange | null = null;
  /** 0 until it is sent: ids are given in the order of sending, so that the callee can tell a lost call from an old one. */
  id = 0;
  /** How often it was sent. */
  attempt = 0;
  // What few calls have has no room in the others: each of a thousand calls in flight is the smaller for it.
  /** Whether the caller has enough: then the end of the handler is a good one. */
  declare isLeft?: true;
  /** Whether its frame was sent again because another answer came. */
  declare resent?: true;
  declare cancelCause?: unknown;
  /** Where it was made, for its lines. @default `MAIN_THREAD` */
  declare thread?: string;
  /** Where its progress goes. @default nowhere */
  declare progress?: ProgressFeed;
  /** Removes what listens to the caller's signal. */
  declare forget?: () => void;
  #state: CallState = "queued";

  constructor(command: string, request: SubmitOptions, settle: Settle) {
    this.command = command;
    this.resolve = settle.resolve;
    this.#reject = settle.reject;
    this.#request = request;
  }

  /** What the program asked for; `options` is what of it travels. */
  get request(): SubmitOptions {
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

  /** Without lines: whoever made the call writes them. */
  get quiet(): boolean {
    return this.#request.quiet === true;
  }

  get onItem(): ((item: unknown, bytes: number) => void) | null {
    return this.#request.onItem ?? null;
  }

  get state(): CallState {
    return this.#state;
  }

  /** Whether an answer is awaited. */
  get isOut(): boolean {
    return this.#state === "sent" || this.#state === "retried";
  }

  /** When something is to be done about it; never once it is settled. */
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

  /** Becomes settled: nothing listens any more. */
  end(): void {
    this.become("settled");
    this.forget?.();
  }

  /** @param acknowledged whether the call certainly does not run. */
  cancelled(acknowledged: boolean): BrokerFault {
    const cause = this.cancelCause;
    return { code: "CANCELLED", acknowledged, ...(cause === undefined ? {} : { cause }) };
  }

  /** @param timeoutMs the time that is over. */
  timedOut(timeoutMs: number, peer: "blocked" | "slow"): BrokerFault {
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
