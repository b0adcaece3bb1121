/** A stream whose messages can't be told apart any more. */
export class FramingError extends Error {
  override readonly name = "FramingError";
}

/** What is said of a message over the limit. */
export function tooLong(bytes: number, limit: number): string {
  return `message of ${bytes} bytes (the limit is ${limit})`;
}
