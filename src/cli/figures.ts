/** Figures as people read them. */

/** Milliseconds of each unit of time. */
export const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Bytes in MiB with one decimal, or `-` where they are unknown. */
export function mebibytes(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? "-" : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** Milliseconds, or `-` where they are unknown. */
export function milliseconds(ms: number | null): string {
  return ms === null ? "-" : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

/** `12s`, `3m 04s`, `2h 05m`, `4d 03h`. */
export function shortTime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)];
  const two = (value: number) => String(value).padStart(2, "0");
  if (days > 0) return `${days}d ${two(hours % 24)}h`;
  if (hours > 0) return `${hours}h ${two(minutes % 60)}m`;
  return minutes > 0 ? `${minutes}m ${two(seconds % 60)}s` : `${seconds}s`;
}

/** A whole number with separated thousands: `12,001`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Milliseconds in five characters: `3ms`, `143ms`, `2.05s`, `12.3s`, `140s`. */
export function shortMs(ms: number): string {
  if (ms < 999.5) return `${ms.toFixed(0)}ms`;
  const seconds = ms / 1_000;
  return `${seconds.toFixed(seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0)}s`;
}

/** `text` in at most `length` characters. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** Milliseconds in the largest unit that divides them: `10 minutes`. */
export function spanText(ms: number): string {
  const units: readonly (readonly [ms: number, name: string])[] = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1_000, "second"],
  ];
  const [unit, name] = units.find(([unit]) => ms % unit === 0) ?? [1_000, "second"];
  return ms === unit ? `1 ${name}` : `${ms / unit} ${name}s`;
}
