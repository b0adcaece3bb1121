import type { Clock, Runtime } from "../../runtime/runtime.ts";
import { STANDSTILL_MS } from "../duration.ts";
import type { HeartbeatSettings, MemoryPlan } from "../settings/settings.ts";

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly settings: Required<HeartbeatSettings>;
  /** When something last came from the process, on the clock. */
  readonly heardAt: () => number;
  readonly ping: () => void;
  /** How long the process had no processor in its life: what it can't do meanwhile says nothing of it. */
  readonly waitedMs: () => number;
  /** It has sent nothing for `ms`. */
  readonly blocked: (ms: number) => void;
  /** It responds again, `ms` after the last time. */
  readonly unblocked: (ms: number) => void;
}

/** Whether a process responds. What it sends by itself is enough; only one that is silent gets a ping. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalMs: number;
  #pingedAt: number | null = null;
  /** What `waitedMs` was when the process was last given time. */
  #waitedMs = 0;
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
    const { clock, settings, heardAt, waitedMs, blocked } = this.#options;
    const now = clock.now();
    const heard = heardAt();
    const isLate = now - this.#dueAt >= STANDSTILL_MS;
    // This process may have stood still, and not the other one: there may be messages that are not read yet.
    const mayBeUnread = isLate && !this.#wasLate;
    this.#wasLate = isLate;
    if (this.#pingedAt !== null && heard >= this.#pingedAt) {
      this.#pingedAt = null;
      this.answered();
    }
    if (this.#pingedAt === null && now - heard < this.#intervalMs) {
      this.#lookIn(heard + this.#intervalMs - now);
    } else if (this.#pingedAt === null || mayBeUnread) {
      this.#pingedAt = now;
      this.#waitedMs = waitedMs();
      this.#lookIn(settings.timeoutMs - this.#intervalMs);
      this.#options.ping();
    } else if (this.#blockedSince !== null) {
      this.#lookIn(this.#intervalMs);
    } else {
      const waited = waitedMs() - this.#waitedMs;
      this.#waitedMs += waited;
      if (waited >= STANDSTILL_MS) return this.#lookIn(Math.min(waited, now - this.#pingedAt));
      this.#lookIn(this.#intervalMs);
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

export interface MemoryWatchOptions {
  readonly runtime: Pick<Runtime, "clock" | "memory">;
  readonly pid: number;
  readonly plan: MemoryPlan;
  /** It holds more than `limitBytes`, and held less before. */
  readonly warn: (bytes: number, limitBytes: number) => void;
  /** It holds so much that it should be replaced. */
  readonly recycle: (bytes: number, limitBytes: number) => void;
}

/** Checks the memory of a process from time to time, until the returned function is called. */
export function watchMemory({ runtime, pid, plan, warn, recycle }: MemoryWatchOptions): () => void {
  const { warnBytes, recycleBytes, checkMs } = plan;
  let isOver = false;
  let hasEnded = false;
  let clear = () => {};
  const lookLater = () => clear = runtime.clock.timer(checkMs, () => void look());
  const look = async () => {
    const figures = await runtime.memory(pid);
    if (hasEnded) return;
    lookLater();
    const bytes = figures.privateBytes ?? figures.pssBytes ?? figures.rssBytes;
    if (bytes === null) return;
    const wasOver = isOver;
    isOver = warnBytes !== null && bytes > warnBytes;
    if (warnBytes !== null && isOver && !wasOver) warn(bytes, warnBytes);
    if (recycleBytes !== null && bytes > recycleBytes) recycle(bytes, recycleBytes);
  };
  if (warnBytes !== null || recycleBytes !== null) lookLater();
  return () => {
    hasEnded = true;
    clear();
  };
}
