/**
 * The ends of calls: each call has one, which is counted, given to the program that waits, and logged.
 *
 * A line that is logged may end in the program's own code, which may call, cancel or restart before it returns. So it comes last.
 *
 * @module
 */

import { type BrokerFault, readFault, readThrown, remoteFault, toError } from "../faults.ts";
import { LatencyHistogram } from "./latency.ts";
import { MAIN_THREAD } from "../log/record.ts";
import type { Reporter } from "../log/reporter.ts";
import { stackLines } from "../log/stack.ts";
import { AnswerKind } from "../wire/columns.ts";
import type { CallCounts, Latency, Outcome, StrayAnswer } from "../wire/status.ts";
import type { Call } from "./call.ts";
import type { TimeoutDiagnosis } from "./pending.ts";

export interface OutcomesOptions {
  readonly counters: CallCounters;
  readonly reporter: Reporter;
  /** The module in the prefix of the lines. */
  readonly module: string;
  readonly ownFiles: readonly string[];
}

export class Outcomes {
  readonly #options: OutcomesOptions;
  readonly #counters: CallCounters;
  readonly #reporter: Reporter;

  constructor(options: OutcomesOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.#reporter = options.reporter;
  }

  /** @param error what the command threw, where its module expects it: an answer like any other. */
  resolve(call: Call, value: unknown, now: number, error?: BrokerFault): void {
    const ms = call.time.startedAt < 0 ? 0 : now - call.time.startedAt;
    call.end();
    this.#counters.count(call.attempt > 1 ? "retried" : "ok");
    // The reader of a stream decides how long it takes.
    if (call.onItem === null) this.#counters.answeredIn(ms);
    if (error === undefined) call.resolve(value, call.attempt);
    else call.reject(error);
    if (call.quiet || !this.#reporter.wants("call.answered")) return;
    const { command, target, attempt: attempts } = call;
    this.#reporter.report("call.answered", { command, target, ms, attempts }, this.#subject(call));
  }

  reject(call: Call, fault: BrokerFault): void {
    call.end();
    this.#counters.count(fault.code === "TIMEOUT" ? "timeout" : fault.code === "CANCELLED" ? "cancelled" : "error");
    call.reject(fault);
    if (!call.quiet) this.#reportFailure(call, fault);
  }

  #reportFailure(call: Call, fault: BrokerFault): void {
    const { command, target } = call;
    if (fault.code === "TIMEOUT") {
      const { timeoutMs, attempts, sent, peer } = fault;
      this.#reporter.report("call.timeout", { command, target, timeoutMs, attempts, sent, peer }, this.#subject(call));
      return;
    }
    const message = toError(fault, { target, command }).reason;
    const stack = fault.code !== "REMOTE" ? [] : stackLines(
      { name: fault.remoteName, message: fault.message, stack: fault.remoteStack },
      this.#options.ownFiles,
    );
    const { code } = fault;
    this.#reporter.report("call.error", { command, target, code, message, stack }, this.#subject(call));
  }

  /** The first attempt got no answer in time, and the second is sent. */
  retried(call: Call, diagnosis: TimeoutDiagnosis): void {
    const { command, target, timeoutMs, quiet } = call;
    if (quiet) return;
    this.#reporter.report("call.retry", { command, target, timeoutMs }, this.#subject(call));
    this.diagnosed(call, diagnosis);
  }

  diagnosed(call: Call, { attempt, peer, silentMs }: TimeoutDiagnosis): void {
    if (call.quiet || !this.#reporter.wants("call.silence")) return;
    const { command, target } = call;
    this.#reporter.report("call.silence", { command, target, attempt, peer, silentMs }, this.#subject(call));
  }

  /** An answer that is nobody's came while `call`, which was sent again, waited for its own. */
  anotherAnswer(kind: StrayAnswer, call: Call): void {
    this.#counters.count(kind);
    const { command, target } = call;
    this.#reporter.report("call.another-answer", { command, target }, this.#subject(call));
  }

  /** An answer that is nobody's, and no call waits that it may have been taken for. */
  stray(kind: StrayAnswer, command: string | null, id: unknown): void {
    this.#counters.count(kind);
    const event = `answer.${kind}` as const;
    if (!this.#reporter.wants(event)) return;
    const { module } = this.#options;
    this.#reporter.report(event, { target: module, command, id: idText(id) }, { module });
  }

  #subject(call: Call): { module: string; thread: string } {
    return { module: this.#options.module, thread: call.thread ?? MAIN_THREAD };
  }
}

/** The fault in an answer of this kind, or undefined where it has a result. */
export function faultOf(kind: number, value: unknown): BrokerFault | undefined {
  if (kind === AnswerKind.value || kind === AnswerKind.nothing) return undefined;
  return kind === AnswerKind.fault ? readFault(value) : remoteFault(readThrown(value));
}

export const OUTCOMES: readonly Outcome[] = ["ok", "retried", "timeout", "cancelled", "error"];
export const STRAY_ANSWERS: readonly StrayAnswer[] = ["late", "duplicate", "unknown"];

export class CallCounters {
  readonly #counts: CallCounts = {
    ok: 0,
    error: 0,
    timeout: 0,
    retried: 0,
    late: 0,
    duplicate: 0,
    unknown: 0,
    cancelled: 0,
  };
  readonly #latency = new LatencyHistogram();

  count(what: Outcome | StrayAnswer): void {
    this.#counts[what]++;
  }

  answeredIn(ms: number): void {
    this.#latency.add(ms);
  }

  counts(): CallCounts {
    return { ...this.#counts };
  }

  latency(): Latency {
    return {
      p50: this.#latency.percentile(0.5),
      p99: this.#latency.percentile(0.99),
      sumMs: this.#latency.sumMs,
      histogram: this.#latency.doublings(),
    };
  }
}

/** Characters of an id that is a string. */
const MAX_ID_LENGTH = 100;

/** An id as it came: a string in quotes; by its type where it is neither string nor number. */
function idText(id: unknown): string {
  if (typeof id === "number" || typeof id === "boolean" || id === null) return String(id);
  if (typeof id === "string") return JSON.stringify(id.slice(0, MAX_ID_LENGTH));
  return Array.isArray(id) ? "a list" : "an object";
}
