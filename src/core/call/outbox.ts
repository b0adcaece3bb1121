/**
 * Calls on their way into frames: those of one turn of the event loop share a frame, and a part leaves early so that both
 * processes work at the same time.
 *
 * @module
 */

import { inBatches } from "../frame/batches.ts";
import type { Codec } from "../frame/codec.ts";
import { FrameType } from "../frame/header.ts";
import type { Link } from "../frame/link.ts";
import type { Call } from "./call.ts";
import type { InFlight } from "./in_flight.ts";

const MIN_EARLY = 8;
const MAX_EARLY = 128;

export class Outbox {
  readonly #inFlight: InFlight;
  readonly #flush = () => this.#pack();
  #calls: Call[] = [];
  #link: Link | undefined;
  #codec: Codec | undefined;

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight;
  }

  /** From now on calls go to `link`, in the codec they are encoded with. What was not yet sent to another is dropped. */
  attach(link: Link | undefined, codec: Codec): void {
    this.#calls = [];
    this.#link = link;
    this.#codec = codec;
  }

  send(call: Call): void {
    const link = this.#link;
    if (link === undefined) return;
    const length = this.#calls.push(call);
    if (length === 1) link.schedule(this.#flush);
    if (length >= MIN_EARLY && length >= Math.min(MAX_EARLY, this.#inFlight.waiting >> 2)) link.flush();
  }

  /** Takes back a call whose only frame is not packed yet. False where the callee may have got it. */
  withdraw(call: Call): boolean {
    if (call.attempt > 1 || call.resent) return false;
    const index = this.#calls.indexOf(call);
    if (index !== -1) this.#calls.splice(index, 1);
    return index !== -1;
  }

  #pack(): void {
    const calls = this.#calls;
    const [link, codec] = [this.#link, this.#codec];
    if (link === undefined || codec === undefined || calls.length === 0) return;
    this.#calls = [];
    const { settledBelow } = this.#inFlight;
    inBatches(calls, paramsBytes, (batch) => {
      const before = codec.before();
      if (before !== undefined) link.sendParts(FrameType.calls, before.flags, before.parts);
      const { flags, parts } = codec.calls(batch, settledBelow);
      link.sendParts(FrameType.calls, flags, parts);
    });
  }
}

function paramsBytes(call: Call): number {
  return call.params.bytes;
}
