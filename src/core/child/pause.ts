import type { Clock } from "../../runtime/runtime.ts";

/** The pause before a process is started again. */
export class Pause {
  readonly #clock: Clock;
  #until: number | null = null;
  #clear: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until its end, or null where there is none. */
  get remainingMs(): number | null {
    return this.#until === null ? null : Math.max(0, Math.round(this.#until - this.#clock.now()));
  }

  begin(ms: number, then: () => void): void {
    this.#until = this.#clock.now() + ms;
    this.#clear = this.#clock.timer(ms, then);
  }

  end(): void {
    this.#clear?.();
    this.#until = null;
  }
}
