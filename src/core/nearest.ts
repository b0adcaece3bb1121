/**
 * The known name that a wrong one was probably meant to be.
 *
 * @module
 */

/** The candidate with the fewest edits, if that is few enough to be a typing error; else null. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
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
