/**
 * What a process holds in memory, looked at from time to time.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import type { MemoryPlan } from "../module/settings.ts";

export interface MemoryWatchOptions {
  readonly runtime: Pick<Runtime, "clock" | "memory">;
  readonly pid: number;
  readonly plan: MemoryPlan;
  /** It holds more than `limitBytes`, and held less before. */
  readonly warn: (bytes: number, limitBytes: number) => void;
  /** It holds so much that it should be replaced. */
  readonly recycle: (bytes: number, limitBytes: number) => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #isOver = false;
  #hasEnded = false;
  #clear: (() => void) | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    const { warnBytes, recycleBytes } = options.plan;
    if (warnBytes !== null || recycleBytes !== null) this.#lookLater();
  }

  end(): void {
    this.#hasEnded = true;
    this.#clear?.();
  }

  #lookLater(): void {
    const { runtime, plan } = this.#options;
    this.#clear = runtime.clock.timer(plan.checkMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { runtime, pid, plan, warn, recycle } = this.#options;
    const figures = await runtime.memory(pid);
    if (this.#hasEnded) return;
    this.#lookLater();
    const bytes = figures.privateBytes ?? figures.pssBytes ?? figures.rssBytes;
    if (bytes === null) return;
    const { warnBytes, recycleBytes } = plan;
    const wasOver = this.#isOver;
    this.#isOver = warnBytes !== null && bytes > warnBytes;
    if (warnBytes !== null && this.#isOver && !wasOver) warn(bytes, warnBytes);
    if (recycleBytes !== null && bytes > recycleBytes) recycle(bytes, recycleBytes);
  }
}
