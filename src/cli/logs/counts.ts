/**
 * Counters of the calls, cleanups and processes of each module and command.
 *
 * @module
 */

import { LatencyHistogram } from "../../core/latency.ts";
import type { ParsedEvent } from "../../core/log/parsed.ts";

/** Milliseconds. */
export interface Percentiles {
  /** Half took at most this long; this one and the next two are at most 4 % off. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Exact. */
  readonly max: number;
}

/** What a log says of a module or a worker. */
export interface ModuleFigures extends CommandFigures {
  readonly name: string;
  /** Events about it, of every kind. */
  readonly events: number;
  /** Cleanups of its processes. `errors`: modules whose data could not be cleaned in them. */
  readonly cleanups: { readonly count: number; readonly errors: number; readonly ms: Percentiles | null };
  /** Its processes: started, ended unexpectedly, and given up. */
  readonly processes: { readonly starts: number; readonly ended: number; readonly failed: number };
}

export class ModuleCounts {
  /** Of the commands, by their names. */
  readonly commands = new Map<string, CommandCounts>();
  readonly #cleanups = new LatencyHistogram();
  #events = 0;
  #cleanupCount = 0;
  #cleanupErrors = 0;
  #starts = 0;
  #ended = 0;
  #failed = 0;

  add({ event, fields }: ParsedEvent): void {
    this.#events++;
    switch (event) {
      case "cleanup.done":
        this.#cleanupCount++;
        return this.#cleanups.add(fields.ms);
      case "cleanup.error":
        this.#cleanupErrors++;
        return;
      case "process.starting":
        this.#starts++;
        return;
      case "process.exited":
        if (!fields.expected) this.#ended++;
        return;
      case "process.failed":
        this.#failed++;
    }
  }

  figures(name: string): ModuleFigures {
    const all = new CommandCounts();
    for (const counts of this.commands.values()) all.merge(counts);
    return {
      name,
      events: this.#events,
      ...all.figures(),
      cleanups: { count: this.#cleanupCount, errors: this.#cleanupErrors, ms: percentilesOf(this.#cleanups) },
      processes: { starts: this.#starts, ended: this.#ended, failed: this.#failed },
    };
  }
}

/** What became of the calls of one command. */
export interface CommandFigures {
  /** Calls whose end stands in the log: answered, timed out or failed. At INFO the answered ones are not in it. */
  readonly calls: number;
  readonly answered: number;
  /** Calls whose first attempt timed out. */
  readonly retried: number;
  /** Calls that were sent again because another answer came. */
  readonly anotherAnswer: number;
  /** Calls that were given up after their last timeout. */
  readonly timeouts: number;
  /** Calls that failed otherwise. */
  readonly errors: number;
  /** Commands that threw, as their own process tells it. */
  readonly crashed: number;
  /** Commands that the process did not have. */
  readonly unknown: number;
  /** Commands that began to run. */
  readonly executed: number;
  /** Answers that came too late, twice, or to no call. */
  readonly strayAnswers: number;
  /** Of the answered calls; null where none is in the log. */
  readonly latencyMs: Percentiles | null;
}

export class CommandCounts {
  answered = 0;
  retried = 0;
  anotherAnswer = 0;
  timeouts = 0;
  errors = 0;
  crashed = 0;
  unknown = 0;
  executed = 0;
  strayAnswers = 0;
  readonly latencies = new LatencyHistogram();

  add({ event, fields }: ParsedEvent): void {
    switch (event) {
      case "call.answered":
        this.answered++;
        return this.latencies.add(fields.ms);
      case "command.executing":
        this.executed++;
        return;
      case "call.retry":
        this.retried++;
        return;
      case "call.another-answer":
        this.anotherAnswer++;
        return;
      case "call.timeout":
        this.timeouts++;
        return;
      case "call.error":
        this.errors++;
        return;
      case "command.error":
        this.crashed++;
        return;
      case "command.unknown":
        this.unknown++;
        return;
      case "answer.late":
      case "answer.duplicate":
      case "answer.unknown":
        this.strayAnswers++;
    }
  }

  merge(other: CommandCounts): void {
    this.answered += other.answered;
    this.retried += other.retried;
    this.anotherAnswer += other.anotherAnswer;
    this.timeouts += other.timeouts;
    this.errors += other.errors;
    this.crashed += other.crashed;
    this.unknown += other.unknown;
    this.executed += other.executed;
    this.strayAnswers += other.strayAnswers;
    this.latencies.merge(other.latencies);
  }

  figures(): CommandFigures {
    const { latencies, ...counts } = this;
    const calls = this.answered + this.timeouts + this.errors;
    return { calls, ...counts, latencyMs: percentilesOf(latencies) };
  }
}

/** Null where nothing was measured. */
export function percentilesOf(latencies: LatencyHistogram): Percentiles | null {
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((part) => latencies.percentile(part));
  return p50 == null || p90 == null || p99 == null ? null : { p50, p90, p99, max: latencies.maxMs };
}
