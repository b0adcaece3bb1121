import { whenSilent } from "./silence.ts";

/** Follows what a process prints, to tell when all that it printed itself has been handed over. */
export class ChildOutput {
  #open = 0;
  #chunks = 0;
  #allEnded: (() => void) | undefined;

  /** Called for each stream before its first chunk. */
  opened(): void {
    this.#open++;
  }

  chunk(): void {
    this.#chunks++;
  }

  ended(): void {
    this.#open--;
    if (this.#open === 0) this.#allEnded?.();
  }

  /** Called once the process has ended. A grandchild may hold its streams open for ever: silence is an end too. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open === 0) return resolve();
      const stop = whenSilent(() => this.#chunks, resolve);
      this.#allEnded = () => {
        stop();
        resolve();
      };
    });
  }
}
