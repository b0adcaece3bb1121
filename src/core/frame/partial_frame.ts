/**
 * A peer that begins a frame and does not end it is given up.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";

/** Time a peer has to complete a frame that it began, from the last byte on. */
const PARTIAL_FRAME_MS = 10_000;

export class PartialFrame {
  readonly #clock: Clock;
  readonly #receivedAt: () => number;
  readonly #giveUp: (reason: string) => void;
  #stop: (() => void) | undefined;

  constructor(clock: Clock, receivedAt: () => number, giveUp: (reason: string) => void) {
    this.#clock = clock;
    this.#receivedAt = receivedAt;
    this.#giveUp = giveUp;
  }

  /** @param isPartial whether a frame has begun and not ended. */
  look(isPartial: boolean): void {
    if (!isPartial) {
      this.#stop?.();
      this.#stop = undefined;
    } else if (this.#stop === undefined) {
      this.#stop = this.#clock.timer(PARTIAL_FRAME_MS, () => this.#isOld());
    }
  }

  #isOld(): void {
    this.#stop = undefined;
    const silent = this.#clock.now() - this.#receivedAt();
    if (silent >= PARTIAL_FRAME_MS) this.#giveUp(`a frame was begun and not ended in ${PARTIAL_FRAME_MS / 1000}s`);
    else this.#stop = this.#clock.timer(PARTIAL_FRAME_MS - silent, () => this.#isOld());
  }
}
