/**
 * Looking at a thrown value, which may be anything: none of this throws, whatever its getters and traps do.
 *
 * @module
 */

/** Whether `value` is an Error. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/** `String(value)`, or what can be said of a value that has no text. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    try {
      return Object.prototype.toString.call(value);
    } catch {
      return "[object]";
    }
  }
}
