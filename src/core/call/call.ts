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
import type { BrokerFault } from "./wire_error.ts";

export type CallState = "queued" | "sent" | "retried" | "cancelling" | "settled";

/** What comes to a request when it becomes a call. */
export interface Made {
  readonly params: EncodedValue;
  readonly thread: string;
  readonly settle: Settle;
  readonly now: number;
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
  readonly options: CallOptions | null;
  /** The callee's name in lines and errors. */
  readonly target: string;
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  readonly thread: string;
  /** Without lines: whoever made the call writes them. */
  readonly quiet: boolean;
  readonly settle: Settle;
  readonly startedAt: number;
  /** 0 until it is sent: ids are given in the order of sending, so that the callee can tell a lost call from an old one. */
  id = 0;
  /** How often it was sent. */
  attempt = 0;
  deadline: number;
  /** When the attempt that runs is over; `deadline` may lie before, for the probe. */
  attemptEnds: number;
  /** When the callee was last asked for a sign of life, or -1. */
  probedAt = -1;
  /** Whether its frame was sent again because another answer came. */
  resent = false;
  cancelCause: unknown = undefined;
  /** Removes what listens to the caller's signal. */
  #forget: (() => void) | undefined;
  #state: CallState = "queued";

  constructor(command: string, request: SubmitOptions, made: Made) {
    const { now } = made;
    this.command = command;
    this.params = made.params;
    this.options = request.wire ?? null;
    this.target = request.target;
    this.timeoutMs = request.timeoutMs;
    this.retry = request.retry;
    this.thread = made.thread;
    this.quiet = request.quiet === true;
    this.settle = made.settle;
    this.startedAt = now;
    this.attemptEnds = now + request.timeoutMs;
    this.deadline = this.attemptEnds;
  }

  get state(): CallState {
    return this.#state;
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

  /** @param heardAt when the callee last gave a sign of life, where there is a channel to it. */
  timedOut(heardAt: number | undefined): BrokerFault {
    const { timeoutMs, attempt: attempts } = this;
    const sent = this.#state !== "queued";
    const peer = sent && heardAt !== undefined && heardAt >= this.probedAt ? "slow" : "blocked";
    return { code: "TIMEOUT", timeoutMs, attempts, sent, peer };
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
