/**
 * Whether a process is alive to what it is asked. What it sends by itself is sign enough; only one that is silent is asked.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import { STANDSTILL_MS } from "./deadline.ts";
import type { HeartbeatSettings } from "../module/settings.ts";

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly settings: Required<HeartbeatSettings>;
  /** When something last came from the process, on the clock. */
  readonly heardAt: () => number;
  /** Asks the process for a sign of life. */
  readonly ask: () => void;
  /** It has given none for `ms`. */
  readonly blocked: (ms: number) => void;
  /** It gives one again, `ms` after the last. */
  readonly unblocked: (ms: number) => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalMs: number;
  #askedAt: number | null = null;
  /** When a process that is blocked was heard last. */
  #blockedSince: number | null = null;
  #dueAt = 0;
  #wasLate = false;
  #clear: (() => void) | undefined;

  constructor(options: HeartbeatOptions) {
    const { intervalMs, timeoutMs } = options.settings;
    this.#options = options;
    this.#intervalMs = Math.min(intervalMs, timeoutMs / 2);
    this.#lookIn(this.#intervalMs);
  }

  get isBlocked(): boolean {
    return this.#blockedSince !== null;
  }

  /** The process has answered. */
  answered(): void {
    const since = this.#blockedSince;
    if (since === null) return;
    this.#blockedSince = null;
    this.#options.unblocked(this.#options.clock.now() - since);
  }

  end(): void {
    this.#clear?.();
  }

  #look(): void {
    const { clock, settings, heardAt, blocked } = this.#options;
    const now = clock.now();
    const heard = heardAt();
    const isLate = now - this.#dueAt >= STANDSTILL_MS;
    // This process may have stood still, and not the other one: what that has sent is not read yet.
    const mayBeUnread = isLate && !this.#wasLate;
    this.#wasLate = isLate;
    if (this.#askedAt !== null && heard >= this.#askedAt) {
      this.#askedAt = null;
      this.answered();
    }
    if (this.#askedAt === null && now - heard < this.#intervalMs) {
      this.#lookIn(heard + this.#intervalMs - now);
    } else if (this.#askedAt === null || mayBeUnread) {
      this.#askedAt = now;
      this.#lookIn(settings.timeoutMs - this.#intervalMs);
      this.#options.ask();
    } else {
      this.#lookIn(this.#intervalMs);
      if (this.#blockedSince !== null) return;
      this.#blockedSince = heard;
      blocked(now - heard);
    }
  }

  #lookIn(ms: number): void {
    const { clock } = this.#options;
    this.#dueAt = clock.now() + ms;
    this.#clear = clock.timer(ms, () => this.#look());
  }
}
