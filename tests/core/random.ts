/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296 * below);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  text(length: number): string {
    const characters = ["a", '"', "\\", "\n", "é", "中", "🙂", "\u2028", "\0", "\ud800", " "];
    return Array.from({ length: this.below(length + 1) }, () => characters[this.below(characters.length)]).join("");
  }

  /** A value that JSON and attachments keep as it is. */
  value(depth: number): unknown {
    const kind = this.below(depth > 0 ? 8 : 5);
    if (kind === 0) return null;
    if (kind === 1) return this.below(2) === 0;
    if (kind === 2) return this.below(2 ** 31) * (this.below(2) === 0 ? 1 : -0.5) || 0;
    if (kind === 3) return this.text(8);
    if (kind === 4) return this.bytes(this.below(20));
    if (kind === 5) return Array.from({ length: this.below(5) }, () => this.value(depth - 1));
    const keys = ["__proto__", "constructor", "length", "0", "toString", this.text(4), "a b"];
    const object: Record<string, unknown> = {};
    for (let count = this.below(5); count > 0; count--) {
      const key = keys[this.below(keys.length)] ?? "";
      Object.defineProperty(object, key, {
        value: this.value(depth - 1),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return object;
  }
}
