/**
 * The starts of brokers in one process. A new process runs the same program, and the first start in it that is another broker's never
 * settles there: what the program begins after that one is never begun in the process.
 */
export class Starts {
  /** Begun before the first of them settled. */
  readonly #reached = new Set<string>();
  #first: string | null = null;

  begun(name: string): void {
    if (this.#first === null) this.#reached.add(name);
  }

  settled(name: string): void {
    this.#first ??= name;
  }

  /** Why a new process does not come to the start of broker `name`, and what to do; null where it does. */
  whyUnreachable(name: string): string | null {
    if (this.#first === null || this.#reached.has(name)) return null;
    return `broker "${this.#first}" was started before it, and a new process of the program goes no further than that start, ` +
      `start both at once (await Promise.all) or set "program" to a file that only starts "${name}"`;
  }
}
