/**
 * Counters of the calls, cleanups and processes of each module and command.
 *
 * @module
 */

import { LatencyHistogram } from "../../core/call/outcomes.ts";
import type { ParsedEvent } from "../../core/log/parse.ts";

/** Milliseconds. */
export interface Percentiles {
  /** Half took at most this long; this one and the next two are at most 4 % off. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Exact. */
  readonly max: number;
}

/** The figures of a module or a worker. */
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
