/**
 * The ends of calls: each call has one, which is counted, given to who waits, and told.
 *
 * What is told may end in the program's own code, which may call, cancel or restart before it returns. So it stands last.
 *
 * @module
 */

import type { Call } from "./call.ts";
import type { CallReporter } from "./call_reporter.ts";
import type { CallCounters } from "./counters.ts";
import { type BrokerFault, readFault, readThrown, remoteFault } from "../faults.ts";
import { AnswerKind } from "../wire/answer_kind.ts";

export class Outcomes {
  readonly #counters: CallCounters;
  readonly #lines: CallReporter;

  constructor(counters: CallCounters, lines: CallReporter) {
    this.#counters = counters;
    this.#lines = lines;
  }

  resolve(call: Call, value: unknown, now: number): void {
    const ms = call.time.startedAt < 0 ? 0 : now - call.time.startedAt;
    call.end();
    this.#counters.count(call.attempt > 1 ? "retried" : "ok");
    // How long a stream takes is up to who reads it.
    if (call.onItem === null) this.#counters.answeredIn(ms);
    call.resolve(value, call.attempt);
    this.#lines.answered(call, ms);
  }

  reject(call: Call, fault: BrokerFault): void {
    call.end();
    this.#counters.count(fault.code === "TIMEOUT" ? "timeout" : fault.code === "CANCELLED" ? "cancelled" : "error");
    call.reject(fault);
    this.#lines.failed(call, fault);
  }
}

/** What an answer of this kind says went wrong, or undefined where it has a result. */
export function faultOf(kind: number, value: unknown): BrokerFault | undefined {
  if (kind === AnswerKind.value || kind === AnswerKind.nothing) return undefined;
  return kind === AnswerKind.fault ? readFault(value) : remoteFault(readThrown(value));
}
