/**
 * Calls on their way into frames: those of one turn of the event loop share a frame, and a part leaves early so that both
 * processes work at the same time.
 *
 * @module
 */

import { batchesOf, type CallEntry, packCalls } from "../frame/batch.ts";
import { FrameType } from "../frame/header.ts";
import type { Link } from "../frame/link.ts";
import type { Call } from "./call.ts";

export class Outbox {
  readonly #waiting: ReadonlyMap<number, Call>;
  readonly #calls: CallEntry[] = [];
  readonly #flush = () => this.#pack();
  #link: Link | undefined;

  /** @param waiting all calls that were sent and have no outcome, in the order of their ids. */
  constructor(waiting: ReadonlyMap<number, Call>) {
    this.#waiting = waiting;
  }

  /** From now on calls go to `link`. What was not yet sent to another is dropped. */
  attach(link: Link | undefined): void {
    this.#calls.length = 0;
    this.#link = link;
  }

  send(call: Call): void {
    if (this.#link === undefined) return;
    const { command, params, options } = call.request;
    this.#calls.push({ id: call.id, attempt: call.attempts, command, params, options });
    this.#link.schedule(this.#flush);
    if (this.#calls.length >= Math.min(128, Math.max(8, this.#waiting.size >> 2))) this.#link.flush();
  }

  #pack(): void {
    const calls = this.#calls.splice(0);
    const settledBelow = this.#settledBelow(calls);
    for (const batch of batchesOf(calls, (call) => call.params.bytes)) {
      const { flags, parts } = packCalls(batch, settledBelow);
      this.#link?.sendParts(FrameType.calls, flags, parts);
    }
  }

  /** Every call with a smaller id is settled, so that the callee may forget its answers. */
  #settledBelow(calls: readonly CallEntry[]): number {
    for (const id of this.#waiting.keys()) return id;
    return calls[0]?.id ?? 0;
  }
}
