import type { Life } from "./life.ts";

/** The lives of a process beside the one that serves: at most one that takes its place, and those on their way out. */
export class Succession {
  #successor: Life | undefined;
  readonly #retired = new Set<Life>();

  get successor(): Life | undefined {
    return this.#successor;
  }

  begin(successor: Life): void {
    this.#successor = successor;
    successor.start();
  }

  /** The successor serves, or is no more. */
  over(): void {
    this.#successor = undefined;
  }

  /** `life` was replaced, or is not needed. */
  retire(life: Life): void {
    this.#retired.add(life);
  }

  isRetired(life: Life): boolean {
    return this.#retired.has(life);
  }

  /** Whether `life`, which has ended, was on its way out. */
  leave(life: Life): boolean {
    return this.#retired.delete(life);
  }

  /** Nobody takes the place any more. */
  abandon(): void {
    const successor = this.#successor;
    if (successor === undefined) return;
    // First: one that still waits for its start ends within its drain.
    this.over();
    this.retire(successor);
    successor.drain();
  }

  /** Settles when those on their way out have ended. */
  async drain(): Promise<void> {
    for (const life of this.#retired) life.drain();
    await Promise.all([...this.#retired].map((life) => life.ended));
  }
}
