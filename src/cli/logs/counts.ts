/** Counters of the calls, cleanups and processes of each module and command. */

import { LatencyHistogram } from "../../core/call/outcomes.ts";
import type { EventId } from "../../core/log/events.ts";
import type { ParsedEvent } from "../../core/log/parse.ts";
import { shortMs } from "../figures.ts";

/** Milliseconds. */
export interface Percentiles {
  /** Half took at most this long; this one and the next two are at most 4 % off. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Exact. */
  readonly max: number;
}

export interface ModuleFigures extends CommandFigures {
  readonly name: string;
  /** Events about it, of every kind. */
  readonly events: number;
  /** Cleanups in its processes. `errors`: modules whose cleanup failed in them. */
  readonly cleanups: { readonly count: number; readonly errors: number; readonly ms: Percentiles | null };
  /** Its processes: started, ended unexpectedly, and given up. */
  readonly processes: { readonly starts: number; readonly ended: number; readonly failed: number };
}

export class ModuleCounts {
  /** By the commands' names. */
  readonly commands = new Map<string, CommandCounts>();
  readonly #cleanups = new LatencyHistogram();
  readonly #counts = new Map<EventId, number>();
  #events = 0;

  add({ event, fields }: ParsedEvent): void {
    this.#events++;
    if (event === "process.exited" && fields.expected) return;
    this.#counts.set(event, this.#count(event) + 1);
    if (event === "cleanup.done") this.#cleanups.add(fields.ms);
  }

  figures(name: string): ModuleFigures {
    const all = new CommandCounts();
    for (const counts of this.commands.values()) all.merge(counts);
    return {
      name,
      events: this.#events,
      ...all.figures(),
      cleanups: {
        count: this.#count("cleanup.done"),
        errors: this.#count("cleanup.error"),
        ms: percentilesOf(this.#cleanups),
      },
      processes: {
        starts: this.#count("process.starting"),
        ended: this.#count("process.exited"),
        failed: this.#count("process.failed"),
      },
    };
  }

  #count(event: EventId): number {
    return this.#counts.get(event) ?? 0;
  }
}

/** The outcomes of the calls of one command. */
export interface CommandFigures {
  /** Calls whose end is in the log: answered, timed out or failed. Answered calls are logged at DEBUG only. */
  readonly calls: number;
  readonly answered: number;
  /** Calls whose first attempt timed out. */
  readonly retried: number;
  /** Calls that were sent again because of an answer to another call. */
  readonly anotherAnswer: number;
  /** Calls that failed after their last timeout. */
  readonly timeouts: number;
  /** Calls that failed for another reason. */
  readonly errors: number;
  /** Commands that threw, as logged by their own process. */
  readonly crashed: number;
  /** Unknown commands. */
  readonly unknown: number;
  /** Commands that were executed. */
  readonly executed: number;
  /** Answers that were late, duplicate or to no known call. */
  readonly strayAnswers: number;
  /** Of the answered calls; null if none is in the log. */
  readonly latencyMs: Percentiles | null;
}

/** The calls of a command that end so, or the commands of a process. */
type Counter = Exclude<keyof CommandFigures, "calls" | "latencyMs">;

const COUNTERS: Readonly<Partial<Record<EventId, Counter>>> = {
  "call.answered": "answered",
  "call.retry": "retried",
  "call.another-answer": "anotherAnswer",
  "call.timeout": "timeouts",
  "call.error": "errors",
  "command.error": "crashed",
  "command.unknown": "unknown",
  "command.executing": "executed",
  "answer.late": "strayAnswers",
  "answer.duplicate": "strayAnswers",
  "answer.unknown": "strayAnswers",
};

const ALL_COUNTERS = new Set(Object.values(COUNTERS));

export class CommandCounts {
  readonly #counts: Record<Counter, number> = {
    answered: 0,
    retried: 0,
    anotherAnswer: 0,
    timeouts: 0,
    errors: 0,
    crashed: 0,
    unknown: 0,
    executed: 0,
    strayAnswers: 0,
  };
  readonly #latencies = new LatencyHistogram();

  add({ event, fields }: ParsedEvent): void {
    const counter = COUNTERS[event];
    if (counter !== undefined) this.#counts[counter]++;
    if (event === "call.answered") this.#latencies.add(fields.ms);
  }

  merge(other: CommandCounts): void {
    for (const counter of ALL_COUNTERS) this.#counts[counter] += other.#counts[counter];
    this.#latencies.merge(other.#latencies);
  }

  figures(): CommandFigures {
    const { answered, timeouts, errors } = this.#counts;
    return { calls: answered + timeouts + errors, ...this.#counts, latencyMs: percentilesOf(this.#latencies) };
  }
}

/** Null where nothing was measured. */
export function percentilesOf(latencies: LatencyHistogram): Percentiles | null {
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((part) => latencies.percentile(part));
  return p50 == null || p90 == null || p99 == null ? null : { p50, p90, p99, max: latencies.maxMs };
}

/** The four of them as text, or `none` for each. */
export function percentileTexts(ms: Percentiles | null, none: string): string[] {
  return ms === null ? [none, none, none, none] : [ms.p50, ms.p90, ms.p99, ms.max].map(shortMs);
}
