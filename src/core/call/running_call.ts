/**
 * One call from the side of its callee, and what its handler sees as `this`.
 *
 * @module
 */

import type { CallContext } from "../module/module.ts";
import type { OutgoingStream } from "./outgoing_stream.ts";

export class RunningCall implements CallContext {
  readonly id: number;
  readonly attempt: number;
  readonly caller: string;
  readonly command: string;
  /** What the handler yields, where the call is a stream. */
  stream: OutgoingStream | undefined;
  /** Its part of the frame that it came in. */
  bytes = 0;
  /** Whether its answer was given. */
  isOver = false;
  readonly #told: (call: RunningCall, value: unknown) => void;
  #controller: AbortController | undefined;

  /** @param told gets what the handler tells of its progress. */
  constructor(
    call: { readonly id: number; readonly attempt: number; readonly command: string },
    caller: string,
    told: (call: RunningCall, value: unknown) => void,
  ) {
    this.#told = told;
    this.id = call.id;
    this.attempt = call.attempt;
    this.caller = caller;
    this.command = call.command;
  }

  /** Made when it is first looked at: most handlers never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  progress(value: unknown): void {
    this.#told(this, value);
  }

  get cancelled(): boolean {
    return this.#controller?.signal.aborted === true;
  }

  cancel(reason: string): void {
    this.#controller ??= new AbortController();
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(new Error(reason));
    this.stream?.stop();
  }
}
