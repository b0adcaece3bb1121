/**
 * How many entries share a frame.
 *
 * @module
 */

const BATCH_BYTES = 256 * 1024;
/** What an entry has beside its value: an id, an attempt, a kind. */
const ENTRY_BYTES = 64;

/** Hands on entries frame by frame: a frame is closed when it holds 256 KiB, and a larger entry has one of its own. */
export function inBatches<T>(
  entries: readonly T[],
  bytesOf: (entry: T) => number,
  send: (batch: readonly T[]) => void,
): void {
  let from = 0;
  let bytes = 0;
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const size = bytesOf(entry) + ENTRY_BYTES;
    if (index > from && bytes + size > BATCH_BYTES) {
      send(entries.slice(from, index));
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from === 0 && entries.length > 0) send(entries);
  else if (from > 0) send(entries.slice(from));
}
