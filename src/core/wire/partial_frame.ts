/**
 * A peer that begins a frame and does not end it is given up, also one that goes on byte by byte: what it says next, a pong say,
 * would be taken for the rest of the frame for ever.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";

/** In each such time a frame ends, or so much of it comes. */
const PARTIAL_FRAME_MS = 10_000;
const LEAST_BYTES = 64 * 1024;

export class PartialFrame {
  readonly #clock: Clock;
  readonly #giveUp: (reason: string) => void;
  #stop: (() => void) | undefined;
  #bytes = 0;
  #hasEnded = false;

  constructor(clock: Clock, giveUp: (reason: string) => void) {
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  /** A frame has ended. */
  ended(): void {
    this.#hasEnded = true;
  }

  /** @param isPartial whether a frame has begun and not ended. @param bytes how many came now. */
  look(isPartial: boolean, bytes: number): void {
    if (!isPartial) this.close();
    else if (this.#stop === undefined) this.#begin();
    else this.#bytes += bytes;
  }

  /** Nothing is expected any more. */
  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #begin(): void {
    this.#bytes = 0;
    this.#hasEnded = false;
    this.#stop = this.#clock.timer(PARTIAL_FRAME_MS, () => {
      this.#stop = undefined;
      if (this.#hasEnded || this.#bytes >= LEAST_BYTES) this.#begin();
      else this.#giveUp(`a frame was begun and not ended in ${PARTIAL_FRAME_MS / 1000}s`);
    });
  }
}
