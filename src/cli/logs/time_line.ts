/** Counts over time, in spans of equal width. */

import { LatencyHistogram } from "../../core/call/outcomes.ts";
import type { EventId } from "../../core/log/events.ts";
import type { ParsedEvent } from "../../core/log/parse.ts";
import { formatStamp } from "../../core/log/prefix.ts";
import { type Percentiles, percentilesOf } from "./counts.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Each one divides the next. */
const WIDTHS = [
  ...[SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND],
  ...[MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE],
  ...[HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR],
  ...[DAY, 7 * DAY, 28 * DAY, 364 * DAY],
];
/** The most spans kept; beyond that they become wider. */
const MAX_SPANS = 2_000;

/** Kinds of trouble, in the order of display. */
export const TROUBLES = ["retried", "failed", "crashed", "cleanup", "ended", "other"] as const;
export type Trouble = typeof TROUBLES[number];

export interface Span extends Readonly<Record<Trouble, number>> {
  /** Its beginning: as in the log, and in milliseconds since the epoch. */
  readonly from: string;
  readonly time: number;
  /** Answered calls. */
  readonly answered: number;
  /** Of the answered calls; null if there are none. */
  readonly latencyMs: Percentiles | null;
}

export interface TimeLineFigures {
  readonly widthMs: number;
  /** In the order of time; empty spans are left out. */
  readonly spans: readonly Span[];
}

class Counts implements Record<Trouble, number> {
  retried = 0;
  failed = 0;
  crashed = 0;
  cleanup = 0;
  ended = 0;
  other = 0;
  answered = 0;
  latencies: LatencyHistogram | null = null;

  merge(other: Counts): void {
    for (const trouble of TROUBLES) this[trouble] += other[trouble];
    this.answered += other.answered;
    if (other.latencies !== null) (this.latencies ??= new LatencyHistogram()).merge(other.latencies);
  }
}

export class TimeLine {
  #width = 0;
  /** The zero of all spans: midnight, so that hours and days match the clock. */
  #zero = NaN;
  #spans = new Map<number, Counts>();
  #lastIndex = NaN;
  #last: Counts | null = null;

  trouble(trouble: Trouble, time: number): void {
    this.#at(time)[trouble]++;
  }

  answered(ms: number, time: number): void {
    const counts = this.#at(time);
    counts.answered++;
    (counts.latencies ??= new LatencyHistogram()).add(ms);
  }

  /** At most `most` spans from the first to the last. */
  result(most: number): TimeLineFigures {
    const line = new TimeLine();
    line.#zero = this.#zero;
    line.#width = this.#width;
    line.#spans = this.#spans;
    while (line.#extent() > most && line.#width < WIDTHS.length - 1) line.#widen();
    const widthMs = line.#widthMs;
    const spans = [...line.#spans].sort(([a], [b]) => a - b).map(([index, { latencies, ...counts }]) => ({
      from: formatStamp(this.#zero + index * widthMs),
      time: this.#zero + index * widthMs,
      ...counts,
      latencyMs: latencies === null ? null : percentilesOf(latencies),
    }));
    return { widthMs, spans };
  }

  #at(time: number): Counts {
    if (Number.isNaN(this.#zero)) this.#zero = new Date(time).setHours(0, 0, 0, 0);
    const index = Math.floor((time - this.#zero) / this.#widthMs);
    if (index === this.#lastIndex && this.#last !== null) return this.#last;
    let counts = this.#spans.get(index);
    if (counts === undefined) {
      counts = new Counts();
      this.#spans.set(index, counts);
      if (this.#spans.size > MAX_SPANS && this.#width < WIDTHS.length - 1) {
        this.#widen();
        return this.#at(time);
      }
    }
    this.#lastIndex = index;
    this.#last = counts;
    return counts;
  }

  get #widthMs(): number {
    return WIDTHS[this.#width] ?? SECOND;
  }

  #extent(): number {
    let [least, most] = [Infinity, -Infinity];
    for (const index of this.#spans.keys()) {
      least = Math.min(least, index);
      most = Math.max(most, index);
    }
    return most - least + 1;
  }

  #widen(): void {
    const before = this.#widthMs;
    this.#width++;
    const factor = this.#widthMs / before;
    const spans = new Map<number, Counts>();
    for (const [index, counts] of this.#spans) {
      const wide = Math.floor(index / factor);
      const known = spans.get(wide) ?? new Counts();
      known.merge(counts);
      spans.set(wide, known);
    }
    this.#spans = spans;
    this.#last = null;
    this.#lastIndex = NaN;
  }
}

const TROUBLE: Readonly<Partial<Record<EventId, Trouble>>> = {
  "call.retry": "retried",
  "call.timeout": "failed",
  "call.error": "failed",
  "command.error": "crashed",
  "cleanup.error": "cleanup",
  "process.exited": "ended",
};

/** The kind of trouble of an event, or null. */
export function troubleOf({ event, level, fields }: ParsedEvent): Trouble | null {
  if (level === "debug" || level === "info" || event === "process.exited" && fields.expected) return null;
  return TROUBLE[event] ?? "other";
}
