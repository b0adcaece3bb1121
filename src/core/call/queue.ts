/**
 * Calls that can't be sent yet, first in first out, bounded by count and bytes.
 *
 * @module
 */

import type { EncodedValue } from "../wire/codec.ts";
import type { Call } from "./call.ts";
import type { BrokerFault } from "../faults.ts";

export interface QueueLimits {
  readonly calls: number;
  readonly bytes: number;
}

export class CallQueue {
  #limits: QueueLimits;
  readonly #calls = new Set<Call>();
  /** Goes on where it was: to begin anew at the front would step over all that were taken before. */
  #front = this.#calls.values();
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** From now on `limits` hold; what waits already stays. */
  limit(limits: QueueLimits): void {
    this.#limits = limits;
  }

  get length(): number {
    return this.#calls.size;
  }

  /** Why `call` can't join, where there is no room for it. */
  fullFor(call: Call): BrokerFault | undefined {
    const { calls, bytes } = this.#limits;
    if (this.#calls.size >= calls) return { code: "QUEUE_FULL", depth: this.#calls.size, limit: calls };
    if (this.#bytes + call.params.bytes > bytes) return { code: "QUEUE_FULL", depth: this.#bytes, limit: bytes };
    return undefined;
  }

  add(call: Call): void {
    this.#calls.add(call);
    this.#bytes += call.params.bytes;
  }

  remove(call: Call): void {
    if (this.#calls.delete(call)) this.#bytes -= call.params.bytes;
  }

  /** `call` is the same call, encoded anew. */
  change(call: Call, params: EncodedValue): void {
    if (this.#calls.has(call)) this.#bytes += params.bytes - call.params.bytes;
    call.params = params;
  }

  shift(): Call | undefined {
    let next = this.#front.next();
    if (next.done === true) {
      this.#front = this.#calls.values();
      next = this.#front.next();
    }
    if (next.done === true) return undefined;
    this.remove(next.value);
    return next.value;
  }

  [Symbol.iterator](): Iterator<Call> {
    return this.#calls[Symbol.iterator]();
  }
}
