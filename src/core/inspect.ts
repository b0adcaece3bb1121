/** A value as an error message quotes it. */
export function inspect(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

/** Whether `value` is an object with fields, and no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What `value` is, where all that it holds is hidden from a look at its fields: a Map, or an instance whose methods are its class's.
 * Null where its fields are all there is, or it has some at least.
 */
export function withoutFields(value: object): string | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  // That of a plain object of any realm inherits nothing.
  if (prototype === null || typeof prototype !== "object" || Object.getPrototypeOf(prototype) === null) return null;
  if (Object.keys(value).length > 0) return null;
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (tag !== "Object") return `${/^[AEIO]/.test(tag) ? "an" : "a"} ${tag}`;
  const { constructor: made }: { constructor?: unknown } = value;
  return typeof made === "function" && made.name !== "" ? `an instance of ${made.name}` : "an object of a class";
}
