/**
 * What a father says about one of its processes.
 *
 * @module
 */

import type { EventFields, EventId } from "../log/record.ts";
import type { Reporter } from "../log/reporter.ts";
import type { EndMeaning } from "./end_meaning.ts";
import type { OutputLine } from "./output.ts";

export class ProcessReporter {
  readonly #reporter: Reporter;
  readonly #process: string;
  readonly #module: string;

  /** @param module stands in the prefix of the lines. */
  constructor(reporter: Reporter, process: string, module: string) {
    this.#reporter = reporter;
    this.#process = process;
    this.#module = module;
  }

  starting(generation: number): void {
    this.#report("process.starting", { process: this.#process, generation });
  }

  ready(childPid: number, ms: number): void {
    this.#report("process.ready", { process: this.#process, childPid, ms });
  }

  output(childPid: number, line: OutputLine): void {
    this.#report("process.output", { process: this.#process, childPid, ...line });
  }

  dropped(what: string, count: number): void {
    this.#report("process.dropped", { process: this.#process, what, count });
  }

  killed(childPid: number | null, signal: string, reason: string): void {
    this.#report("process.killed", { process: this.#process, childPid, signal, reason });
  }

  blocked(childPid: number, ms: number): void {
    this.#report("process.blocked", { process: this.#process, childPid, ms });
  }

  unblocked(childPid: number, ms: number): void {
    this.#report("process.unblocked", { process: this.#process, childPid, ms });
  }

  memory(childPid: number, bytes: number, limitBytes: number): void {
    this.#report("process.memory", { process: this.#process, childPid, bytes, limitBytes });
  }

  replacing(childPid: number, reason: string): void {
    this.#report("process.replacing", { process: this.#process, childPid, reason });
  }

  replaced(childPid: number, oldPid: number, ms: number): void {
    this.#report("process.replaced", { process: this.#process, childPid, oldPid, ms });
  }

  kept(childPid: number, reason: string): void {
    this.#report("process.kept", { process: this.#process, childPid, reason });
  }

  exited(childPid: number | null, { detail, fault }: EndMeaning, expected: boolean): void {
    const { exitCode, signal } = fault;
    this.#report("process.exited", { process: this.#process, childPid, exitCode, signal, reason: detail, expected });
  }

  backoff(delayMs: number, restarts: number): void {
    this.#report("process.backoff", { process: this.#process, delayMs, restarts });
  }

  failed(reason: string): void {
    const remedy = `mend the cause, then run "brokkr restart ${this.#process}"`;
    this.#report("process.failed", { process: this.#process, reason, remedy });
  }

  stopping(childPid: number | null): void {
    this.#report("process.stopping", { process: this.#process, childPid });
  }

  stopped(ms: number): void {
    this.#report("process.stopped", { process: this.#process, ms });
  }

  #report<Id extends EventId>(event: Id, fields: EventFields[Id]): void {
    this.#reporter.report(event, fields, { module: this.#module });
  }
}
