/**
 * The ends of calls: each call has one, which is counted and timed, given to the program that waits, and logged.
 *
 * A line that is logged may end in the program's own code, which may call, cancel or restart before it returns. So it comes last.
 */

import { type BrokerFault, readFault, readThrown, remoteFault, toError } from "../faults.ts";
import { MAIN_THREAD, type Reporter } from "../log/reporter.ts";
import { stackLines } from "../log/stack.ts";
import { AnswerKind } from "../wire/frame.ts";
import type { CallCounts, Latency, Outcome, StrayAnswer } from "../wire/status.ts";
import { type Call, LEFT } from "./call.ts";

/** Why an attempt got no answer in time. */
export interface TimeoutDiagnosis {
  readonly attempt: number;
  /** `blocked`: the callee did not answer a ping; `slow`: it did. */
  readonly peer: "blocked" | "slow";
  /** Milliseconds since the last frame of the callee. */
  readonly silentMs: number;
}

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
    if (call.passedOn || !this.#reporter.wants("call.answered")) return;
    const { command, target, attempt: attempts } = call;
    this.#reporter.report("call.answered", { command, target, ms, attempts }, this.#subject(call));
  }

  reject(call: Call, fault: BrokerFault): void {
    call.end();
    this.#counters.count(fault.code === "TIMEOUT" ? "timeout" : fault.code === "CANCELLED" ? "cancelled" : "error");
    call.reject(fault);
    if (!call.passedOn && call.cancelCause !== LEFT) this.#reportFailure(call, fault);
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
    const { command, target, timeoutMs, passedOn } = call;
    if (passedOn) return;
    this.#reporter.report("call.retry", { command, target, timeoutMs }, this.#subject(call));
    this.diagnosed(call, diagnosis);
  }

  diagnosed(call: Call, { attempt, peer, silentMs }: TimeoutDiagnosis): void {
    if (call.passedOn || !this.#reporter.wants("call.silence")) return;
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

/** Sixteen buckets for each doubling, from 1 µs to 71 minutes: the middle of one is at most 3.2 % off. */
const BUCKET_BITS = 4;
const PER_DOUBLING = 1 << BUCKET_BITS;
const MAX_US = 2 ** 32 - 1;
const BUCKETS = bucketOf(MAX_US) + 1;

/** How many took at most `upToMs` milliseconds and more than half of that, in rising order; empty ones are left out. */
export type Doublings = readonly { readonly upToMs: number; readonly count: number }[];

export class LatencyHistogram {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** Milliseconds of all together. */
  get sumMs(): number {
    return Math.round(this.#sumMs * 1000) / 1000;
  }

  /** The longest, exactly; 0 where there is none. */
  get maxMs(): number {
    return this.#maxMs;
  }

  add(ms: number): void {
    // A time that can't be read from a log has no bucket.
    if (Number.isNaN(ms)) return;
    const bucket = bucketOf(Math.min(ms * 1000, MAX_US));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count++;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  merge(other: LatencyHistogram): void {
    for (let index = 0; index < BUCKETS; index++) {
      this.#buckets[index] = (this.#buckets[index] ?? 0) + (other.#buckets[index] ?? 0);
    }
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** The milliseconds within which `part` of all ended, at most 3.2 % off; null where there is none. */
  percentile(part: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.ceil(this.#count * part);
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#buckets[index] ?? 0;
      if (left > 0) continue;
      const middle = Math.floor((lowestOf(index) + lowestOf(index + 1)) / 2) / 1000;
      return Math.min(middle, this.#maxMs);
    }
    return this.#maxMs;
  }

  /** Enough for a picture, and for sums over processes. */
  doublings(): Doublings {
    const counts = new Map<number, number>();
    for (let index = 0; index < BUCKETS; index++) {
      const count = this.#buckets[index] ?? 0;
      if (count === 0) continue;
      const upToMs = 2 ** Math.ceil(Math.log2(lowestOf(index + 1))) / 1000;
      counts.set(upToMs, (counts.get(upToMs) ?? 0) + count);
    }
    return [...counts].map(([upToMs, count]) => ({ upToMs, count }));
  }
}

/** The milliseconds within which `part` of all counts ended, taken to be even within a doubling; null where there is none. */
export function percentileOf(histograms: readonly Doublings[], part: number): number | null {
  const counts = new Map<number, number>();
  for (const { upToMs, count } of histograms.flat()) counts.set(upToMs, (counts.get(upToMs) ?? 0) + count);
  const rising = [...counts].filter(([, count]) => count > 0).sort(([one], [other]) => one - other);
  const all = rising.reduce((sum, [, count]) => sum + count, 0);
  let left = all * part;
  for (const [upToMs, count] of rising) {
    if (left <= count) return Math.round(upToMs * (1 + left / count) * 500) / 1_000;
    left -= count;
  }
  return null;
}

/** Whole numbers only: a logarithm costs each answer more. */
function bucketOf(us: number): number {
  const whole = us >>> 0;
  const shift = Math.max(31 - Math.clz32(whole) - BUCKET_BITS, 0);
  return shift * PER_DOUBLING + (whole >>> shift);
}

function lowestOf(bucket: number): number {
  const shift = Math.max((bucket >> BUCKET_BITS) - 1, 0);
  return (bucket - shift * PER_DOUBLING) * 2 ** shift;
}
