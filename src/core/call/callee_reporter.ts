/**
 * What a callee says about the calls it gets.
 *
 * @module
 */

import { formatParams } from "../log/params.ts";
import { MAIN_THREAD } from "../log/record.ts";
import type { Reporter } from "../log/reporter.ts";
import { stackLines } from "../log/stack.ts";
import type { ThrownError } from "../faults.ts";

export class CalleeReporter {
  readonly #reporter: Reporter;
  readonly #module: string;
  readonly #ownFiles: readonly string[];

  /** @param module stands in the prefix of the lines. */
  constructor(reporter: Reporter, module: string, ownFiles: readonly string[]) {
    this.#reporter = reporter;
    this.#module = module;
    this.#ownFiles = ownFiles;
  }

  executing(command: string, params: readonly unknown[]): void {
    if (!this.#reporter.wants("command.executing")) return;
    const fields = { command, params: formatParams(params) };
    this.#reporter.report("command.executing", fields, { module: this.#module, thread: MAIN_THREAD });
  }

  threw(command: string, thrown: ThrownError): void {
    this.#failed(command, thrown.message || thrown.name, stackLines(thrown, this.#ownFiles));
  }

  /** Something of the command could not be sent. */
  unsendable(command: string, reason: string): void {
    this.#failed(command, reason, []);
  }

  unknown(command: string): void {
    this.#reporter.report("command.unknown", { command }, { module: this.#module });
  }

  #failed(command: string, message: string, stack: readonly string[]): void {
    this.#reporter.report("command.error", { command, message, stack }, { module: this.#module });
  }
}
