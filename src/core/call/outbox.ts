/**
 * Calls on their way into frames: those of one turn of the event loop share a frame, and a part leaves early so that both
 * processes work at the same time.
 *
 * @module
 */

import { inBatches } from "../wire/batches.ts";
import type { Codec } from "../wire/codec.ts";
import { FrameType } from "../wire/header.ts";
import { objectText } from "../wire/json_text.ts";
import type { Link } from "../wire/link.ts";
import type { Call } from "./call.ts";
import { EarlyLeave } from "./early_leave.ts";
import type { InFlight } from "./in_flight.ts";

export interface OutboxOptions {
  /** What the calls are encoded with. */
  readonly codec: Codec;
  /** Called with the calls of each frame when they leave. */
  readonly leaves: (calls: readonly Call[]) => void;
}

export class Outbox {
  readonly #inFlight: InFlight;
  readonly #flush = () => this.#endTurn();
  readonly #tellTaken = () => this.#packCredit();
  #calls: Call[] = [];
  readonly #early = new EarlyLeave();
  /** Items that were taken of each stream, where the callee does not know it yet. */
  readonly #taken = new Map<number, number>();
  readonly #link: Link;
  readonly #codec: Codec;
  readonly #leaves: (calls: readonly Call[]) => void;
  readonly #stream = { told: 0 };

  constructor(inFlight: InFlight, link: Link, options: OutboxOptions) {
    this.#inFlight = inFlight;
    this.#link = link;
    this.#codec = options.codec;
    this.#leaves = options.leaves;
  }

  send(call: Call): void {
    const length = this.#calls.push(call);
    if (length === 1) this.#link.schedule(this.#flush);
    if (!this.#early.isDue(length)) return;
    this.#pack();
    this.#link.flush();
  }

  /** What did not leave yet never will. */
  close(): void {
    this.#calls = [];
    this.#taken.clear();
  }

  /** Tells the callee that `count` items of a stream were taken since it began. */
  credit(call: Call, count: number): void {
    if (this.#taken.size === 0) this.#link.scheduleLater(this.#tellTaken);
    this.#taken.set(call.id, count);
  }

  /** Takes back a call whose only frame is not packed yet. False where the callee may have got it. */
  withdraw(call: Call): boolean {
    if (call.attempt > 1 || call.resent) return false;
    const index = this.#calls.indexOf(call);
    if (index !== -1) this.#calls.splice(index, 1);
    return index !== -1;
  }

  #packCredit(): void {
    if (this.#taken.size === 0) return;
    this.#link.send(FrameType.credit, objectText([...this.#taken]));
    this.#taken.clear();
  }

  #endTurn(): void {
    if (this.#calls.length === 0) return;
    this.#early.endTurn();
    this.#pack();
  }

  #pack(): void {
    const calls = this.#calls;
    const [link, codec] = [this.#link, this.#codec];
    this.#calls = [];
    this.#early.left(this.#inFlight.waiting);
    this.#leaves(calls);
    const { settledBelow } = this.#inFlight;
    inBatches(calls, paramsBytes, (batch) => {
      const before = codec.before(this.#stream);
      if (before !== undefined) link.sendParts(FrameType.calls, before);
      link.sendParts(FrameType.calls, codec.calls(batch, settledBelow));
    });
  }
}

function paramsBytes(call: Call): number {
  return call.params.bytes;
}
