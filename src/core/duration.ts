/** A measured time: `143` milliseconds are `0.143s`, always three decimals. */
export function formatDuration(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(3)}s`;
}

/** A configured time as the shortest decimal: `1000` milliseconds are `1s`, `500` are `0.5s`. */
export function formatTimeout(ms: number): string {
  // Rounded to a microsecond, so that no exponent is ever printed.
  return `${Math.round(ms * 1000) / 1_000_000}s`;
}

/** Milliseconds of the digits before the `s` of a printed time: `0.143` is 143. `NaN` where they are no number. */
export function parseSeconds(seconds: string): number {
  return DECIMAL.test(seconds) ? Math.round(Number(seconds) * 1_000_000) / 1000 : NaN;
}

const DECIMAL = /^\d{1,15}(?:\.\d{1,15})?$/;
