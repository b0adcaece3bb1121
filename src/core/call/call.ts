/**
 * One call from the side of its caller: what it carries and the states it goes through.
 *
 *     queued ──▶ sent ──▶ retried          each of the three may go to
 *                                          settled (in one outcome), and sent and retried also to
 *                                          cancelling ──▶ settled
 *
 * @module
 */

import type { CallEntry, CallOptions } from "../frame/batch.ts";
import type { EncodedValue } from "../frame/codec.ts";
import type { SubmitOptions } from "./caller_options.ts";
import type { Timed } from "./deadlines.ts";
import type { Exchange } from "./exchange.ts";
import type { BrokerFault } from "./wire_error.ts";

export type CallState = "queued" | "sent" | "retried" | "cancelling" | "settled";

/** What comes to a request when it becomes a call. */
export interface Made {
  readonly params: EncodedValue;
  readonly thread: string;
  readonly settle: Settle;
}

/** How a call's promise is settled. */
export interface Settle {
  resolve(value: unknown, attempts: number): void;
  reject(fault: BrokerFault): void;
}

export class Call implements Timed, CallEntry {
  readonly command: string;
  /** Encoded once, for every attempt. */
  params: EncodedValue;
  readonly thread: string;
  readonly settle: Settle;
  readonly #request: SubmitOptions;
  /** When its time began to run; -1 before. */
  startedAt = -1;
  /** Where it was sent, if it was. */
  exchange: Exchange | null = null;
  /** 0 until it is sent: ids are given in the order of sending, so that the callee can tell a lost call from an old one. */
  id = 0;
  /** How often it was sent. */
  attempt = 0;
  deadline = Infinity;
  /** When the attempt that runs is over; `deadline` may lie before, for the probe. */
  attemptEnds = Infinity;
  /** When the call is over, whatever progress it makes. */
  endsAt = Infinity;
  /** Whether the caller has enough: then the end of the handler is a good one. */
  isLeft = false;
  /** When the callee was last asked for a sign of life, or -1. */
  probedAt = -1;
  /** Whether its frame was sent again because another answer came. */
  resent = false;
  cancelCause: unknown = undefined;
  /** Removes what listens to the caller's signal. */
  #forget: (() => void) | undefined;
  #state: CallState = "queued";

  constructor(command: string, request: SubmitOptions, made: Made) {
    this.command = command;
    this.params = made.params;
    this.thread = made.thread;
    this.settle = made.settle;
    this.#request = request;
  }

  get options(): CallOptions | null {
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

  get onProgress(): ((value: unknown) => void) | null {
    return this.#request.onProgress ?? null;
  }

  get onItem(): ((item: unknown) => void) | null {
    return this.#request.onItem ?? null;
  }

  get state(): CallState {
    return this.#state;
  }

  /** Whether an answer is awaited. */
  get isOut(): boolean {
    return this.#state === "sent" || this.#state === "retried";
  }

  /** Its time runs from `now` on. */
  begin(now: number): void {
    this.startedAt = now;
    this.endsAt = now + this.totalTimeoutMs;
    this.attemptEnds = now + this.timeoutMs;
    this.deadline = Math.min(this.attemptEnds, this.endsAt);
  }

  /** A new attempt, or a sign of progress: there is time for an answer again. */
  renew(now: number): void {
    this.attemptEnds = now + this.timeoutMs;
    this.probeLater();
  }

  /** Half of the time without an answer is when the callee is asked for a sign of life: most calls never come to it. */
  probeLater(): void {
    this.probedAt = -1;
    this.deadline = Math.min(this.attemptEnds, this.endsAt) - Math.min(this.timeoutMs, this.totalTimeoutMs) / 2;
  }

  /** No answer is expected until `renew`: the items that came are not taken yet. */
  rest(): void {
    this.attemptEnds = Infinity;
    this.deadline = this.endsAt;
  }

  /** Until the call is settled, `cancel` runs when `signal` is aborted. */
  listen(signal: AbortSignal, cancel: () => void): void {
    signal.addEventListener("abort", cancel, { once: true });
    this.#forget = () => signal.removeEventListener("abort", cancel);
  }

  /** Becomes settled: nothing listens and nothing is due any more. */
  end(): void {
    this.become("settled");
    this.deadline = Infinity;
    this.#forget?.();
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
