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
import type { InFlight } from "./in_flight.ts";

export class Outbox {
  readonly #inFlight: InFlight;
  readonly #calls: CallEntry[] = [];
  readonly #flush = () => this.#pack();
  #link: Link | undefined;

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight;
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
    if (this.#calls.length >= Math.min(128, Math.max(8, this.#inFlight.waiting >> 2))) this.#link.flush();
  }

  /** Takes back a call whose only frame is not packed yet. False where the callee may have got it. */
  withdraw(call: Call): boolean {
    if (call.attempts > 1 || call.resent) return false;
    const index = this.#calls.findIndex(({ id }) => id === call.id);
    if (index !== -1) this.#calls.splice(index, 1);
    return index !== -1;
  }

  #pack(): void {
    const calls = this.#calls.splice(0);
    const { settledBelow } = this.#inFlight;
    for (const batch of batchesOf(calls, (call) => call.params.bytes)) {
      const { flags, parts } = packCalls(batch, settledBelow);
      this.#link?.sendParts(FrameType.calls, flags, parts);
    }
  }
}
