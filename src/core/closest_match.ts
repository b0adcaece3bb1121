/**
 * The known name that a wrong one was probably meant to be, and keys that nothing has.
 *
 * @module
 */

import { withoutFields } from "./inspect.ts";

/** The candidate with the fewest edits, if that is few enough to be a typing error; else null. */
export function closestMatch(name: string, candidates: Iterable<string>): string | null {
  const most = Math.max(1, Math.floor(name.length / 3));
  let best: string | null = null;
  let bestEdits = most + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > most || name.length > 64) continue;
    const count = edits(name.toLowerCase(), candidate.toLowerCase());
    if (count < bestEdits) {
      best = candidate;
      bestEdits = count;
    }
  }
  return best;
}

/** The keys that a `T` may have; the compiler asks for each. */
export function keysOf<T>(keys: Readonly<Record<keyof T, true>>): readonly string[] {
  return Object.keys(keys);
}

/** What is wrong with `key`, and what to write in its place. */
export function unknownKey(key: string, known: readonly string[], similar = closestMatch(key, known)): string {
  const hint = similar === null ? `known are ${known.join(", ")}` : `did you mean "${similar}"`;
  return `unknown key ${JSON.stringify(key)}: ${hint}`;
}

/** @throws {TypeError} where `value` has a key that is not `known`, or no keys as a Map has none. */
export function refuseUnknown(at: string, value: object, known: readonly string[]): void {
  const other = withoutFields(value);
  if (other !== null) throw new TypeError(`${at}: a plain object is needed, and it is ${other}`);
  const stranger = Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined) throw new TypeError(`${at}: ${unknownKey(stranger, known)}`);
}

/** Edits of one character, or of two neighbours that changed places: Damerau-Levenshtein on aligned text. */
function edits(from: string, to: string): number {
  let older: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min((row[j - 1] ?? 0) + (same ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, (older[j - 2] ?? 0) + 1);
      }
      next.push(least);
    }
    older = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
