/**
 * What JSON would drop or change in silence, and is therefore refused, by both codecs.
 *
 * @module
 */

const LOSSY = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, ArrayBuffer, SharedArrayBuffer, Error];

/** Throws what `refusal` makes where a value has contents that JSON would lose. */
export function refuseLossy(value: object, refusal: (what: string) => Error): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return;
  const type = LOSSY.find((candidate) => value instanceof candidate);
  if (type !== undefined) throw refusal(`is ${/^[AE]/.test(type.name) ? "an" : "a"} ${type.name}`);
  if (ArrayBuffer.isView(value)) throw refusal("is a typed array other than Uint8Array");
}
