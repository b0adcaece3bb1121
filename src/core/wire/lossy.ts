/**
 * What JSON would drop or change in silence, and is therefore refused, by both codecs. Classes are told by what a value says of itself:
 * those of another realm, such as a context of `node:vm`, are others than those here.
 *
 * @module
 */

const LOSSY = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, ArrayBuffer, SharedArrayBuffer, Error];
const BOXED: readonly string[] = ["Number", "String", "Boolean", "BigInt"];
const LOSSY_NAMES: readonly string[] = LOSSY.map(({ name }) => name);

/** Throws what `refusal` makes where a value has contents that JSON would lose. */
export function refuseLossy(value: object, refusal: (what: string) => Error): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return;
  const tag = tagOf(value);
  // A class of the program, which has no contents but its properties.
  if (tag === "Object" || tag === "Array") return;
  const name = LOSSY_NAMES.includes(tag) ? tag : LOSSY.find((candidate) => value instanceof candidate)?.name;
  if (name !== undefined) throw refusal(`is ${/^[AE]/.test(name) ? "an" : "a"} ${name}`);
  if (ArrayBuffer.isView(value)) throw refusal("is a typed array other than Uint8Array");
}

/** Whether `value` is a `Uint8Array`, of any realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || ArrayBuffer.isView(value) && tagOf(value) === "Uint8Array";
}

/** Whether `value` is a `Date`, of any realm. */
export function isDate(value: unknown): value is Date {
  return value instanceof Date || typeof value === "object" && value !== null && tagOf(value) === "Date";
}

/** Whether `value` is what `Object(1)`, `Object("text")`, `Object(true)` or `Object(1n)` makes, in any realm. */
export function isBoxed(value: object): boolean {
  return BOXED.includes(tagOf(value)) && typeof value.valueOf() !== "object";
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
