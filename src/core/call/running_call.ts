/**
 * One call from the side of its callee, and what its handler sees as `this`.
 *
 * @module
 */

import type { CallContext } from "../module.ts";

export class RunningCall implements CallContext {
  readonly id: number;
  readonly attempt: number;
  readonly caller: string;
  readonly command: string;
  #controller: AbortController | undefined;

  constructor(facts: { id: number; attempt: number; caller: string; command: string }) {
    this.id = facts.id;
    this.attempt = facts.attempt;
    this.caller = facts.caller;
    this.command = facts.command;
  }

  /** Made when it is first looked at: most handlers never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#controller?.signal.aborted === true;
  }

  cancel(reason: string): void {
    this.#controller ??= new AbortController();
    if (!this.#controller.signal.aborted) this.#controller.abort(new Error(reason));
  }
}
