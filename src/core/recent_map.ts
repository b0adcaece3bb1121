/**
 * A map that is mostly asked for the key that it was asked for last: that answer is at hand, without a look into the table.
 *
 * @module
 */

export class RecentMap<K extends string, V> extends Map<K, V> {
  #key: K | undefined;
  #value: V | undefined;

  override get(key: K): V | undefined {
    if (key === this.#key) return this.#value;
    const value = super.get(key);
    this.#key = key;
    this.#value = value;
    return value;
  }

  override set(key: K, value: V): this {
    this.#forget();
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#forget();
    return super.delete(key);
  }

  override clear(): void {
    this.#forget();
    super.clear();
  }

  #forget(): void {
    this.#key = undefined;
    this.#value = undefined;
  }
}
