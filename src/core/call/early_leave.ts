/**
 * Which calls leave before their turn of the event loop is over, so that both processes work at the same time: a part of those that
 * are mostly out, again and again.
 *
 * Not a part of those that are out now: who gets many answers at once has few calls out, and makes as many again. And not a large
 * part: the first frame also wakes the other process for those behind it.
 *
 * @module
 */

const PART = 1 / 4;
const LEAST = 8;
const MOST = 256;
/** How slowly it is forgotten, from turn to turn, that many calls were out. */
const FORGETTING = 7 / 8;

export class EarlyLeave {
  #mostlyOut = 0;

  /** Whether the calls that were gathered are enough to leave now. */
  isDue(gathered: number): boolean {
    return gathered >= LEAST && gathered >= Math.min(MOST, this.#mostlyOut * PART);
  }

  /** @param out the calls that wait for answers when some of them have left. */
  left(out: number): void {
    this.#mostlyOut = Math.max(this.#mostlyOut, out);
  }

  /** The last calls of a turn leave. */
  endTurn(): void {
    this.#mostlyOut *= FORGETTING;
  }
}
