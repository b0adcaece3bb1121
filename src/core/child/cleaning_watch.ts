/**
 * Whose cleanup a new process is in, as its father knows it: for the reason when it ends there, and to end it when it is stuck.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { formatTimeout } from "../duration.ts";
import { deadline } from "./deadline.ts";

/** Beyond the deadline that the process itself keeps, where its event loop turns. */
const GRACE_MS = 5_000;

export class CleaningWatch {
  readonly #clock: Clock;
  readonly #stuck: (why: string) => void;
  #owner: string | null = null;
  #clear: (() => void) | undefined;

  constructor(clock: Clock, stuck: (why: string) => void) {
    this.#clock = clock;
    this.#stuck = stuck;
  }

  /** The module whose cleanup runs. */
  get owner(): string | null {
    return this.#owner;
  }

  /** The cleanup of `owner` begins, or where it is null the last one is over. */
  at(owner: string | null, deadlineMs: number): void {
    this.#clear?.();
    this.#owner = owner;
    if (owner === null) return;
    const limitMs = deadlineMs + GRACE_MS;
    const why = `cleanup of module "${owner}" blocked the process for ${formatTimeout(limitMs)}`;
    this.#clear = deadline(this.#clock, limitMs, () => this.#stuck(why));
  }

  /** The process has ended. */
  over(): void {
    this.#clear?.();
  }
}
