/** Figures as the page shows them; a dash where they are unknown. */

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function mebibytes(bytes: number | null | undefined): string {
  return bytes == null ? "–" : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value == null) return "–";
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** `12 s`, `3 min`, `2 h`, `4 d`. */
export function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** The class of a count that should be 0. */
export function hot(value: number): string {
  return value > 0 ? "hot" : "";
}
