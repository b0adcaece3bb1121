import type { ParsedEvent } from "../../core/log/parsed.ts";
import { Latencies, type Percentiles } from "./latency.ts";

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
  readonly latencies = new Latencies();

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
    return { calls, ...counts, latencyMs: latencies.percentiles() };
  }
}
