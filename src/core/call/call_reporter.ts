/**
 * What a caller says about its calls.
 *
 * @module
 */

import { stackLines } from "../log/stack.ts";
import { MAIN_THREAD } from "../log/record.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Call } from "./call.ts";
import type { StrayAnswer } from "./counters.ts";
import type { Silence } from "./exchange.ts";
import { type BrokerFault, toError } from "../faults.ts";

const MAX_ID_LENGTH = 100;

export class CallReporter {
  readonly #reporter: Reporter;
  readonly #module: string;
  readonly #ownFiles: readonly string[];

  /** @param module stands in the prefix of the lines. */
  constructor(reporter: Reporter, module: string, ownFiles: readonly string[]) {
    this.#reporter = reporter;
    this.#module = module;
    this.#ownFiles = ownFiles;
  }

  retry(call: Call, silence: Silence): void {
    const { command, target, timeoutMs, quiet } = call;
    if (quiet) return;
    this.#reporter.report("call.retry", { command, target, timeoutMs }, this.#subject(call));
    this.silence(call, silence);
  }

  /** Why an attempt got no answer in time. */
  silence(call: Call, { attempt, peer, silentMs }: Silence): void {
    if (call.quiet || !this.#reporter.wants("call.silence")) return;
    const { command, target } = call;
    this.#reporter.report("call.silence", { command, target, attempt, peer, silentMs }, this.#subject(call));
  }

  anotherAnswer(call: Call): void {
    const { command, target } = call;
    this.#reporter.report("call.another-answer", { command, target }, this.#subject(call));
  }

  answered(call: Call, ms: number): void {
    if (call.quiet || !this.#reporter.wants("call.answered")) return;
    const { command, target } = call;
    this.#reporter.report("call.answered", { command, target, ms, attempts: call.attempt }, this.#subject(call));
  }

  failed(call: Call, fault: BrokerFault): void {
    const { command, target, quiet } = call;
    if (quiet) return;
    if (fault.code === "TIMEOUT") {
      const { timeoutMs, attempts, sent, peer } = fault;
      this.#reporter.report("call.timeout", { command, target, timeoutMs, attempts, sent, peer }, this.#subject(call));
      return;
    }
    const message = toError(fault, { target, command }).reason;
    const stack = fault.code !== "REMOTE" ? [] : stackLines(
      { name: fault.remoteName, message: fault.message, stack: fault.remoteStack },
      this.#ownFiles,
    );
    const { code } = fault;
    this.#reporter.report("call.error", { command, target, code, message, stack }, this.#subject(call));
  }

  stray(kind: StrayAnswer, command: string | null, id: unknown): void {
    const event = `answer.${kind}` as const;
    if (!this.#reporter.wants(event)) return;
    this.#reporter.report(event, { target: this.#module, command, id: idText(id) }, { module: this.#module });
  }

  #subject(call: Call): { module: string; thread: string } {
    return { module: this.#module, thread: call.thread ?? MAIN_THREAD };
  }
}

/** An id as it came: quoted where it is a text, named by its kind where it is neither text nor number. */
function idText(id: unknown): string {
  if (typeof id === "number" || typeof id === "boolean" || id === null) return String(id);
  if (typeof id === "string") return JSON.stringify(id.slice(0, MAX_ID_LENGTH));
  return Array.isArray(id) ? "a list" : "an object";
}
