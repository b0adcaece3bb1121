const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than any clock is set back by, and one hour. */
const NEAR_MS = 4 * HOUR_MS;

let cachedSecond = NaN;
let cachedStamp = "";

/** `time` (milliseconds since the epoch) as local `YYYY-MM-DD HH:MM:SS`. */
export function formatStamp(time: number): string {
  // Lines come by the thousand within a second, and reading a Date costs more than all the rest of a line.
  const second = Math.floor(time / 1000);
  if (second !== cachedSecond) {
    const date = new Date(second * 1000);
    cachedStamp = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)} ` +
      `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
    cachedSecond = second;
  }
  return cachedStamp;
}

/** An hour about which the clock is not set back: most stamps that follow each other are of one hour. */
let calmHour = NaN;

/** The other time that has the stamp of `time` too, since the clock was set back between the two; mostly null. */
export function twinOf(time: number): number | null {
  const hour = Math.floor(time / HOUR_MS);
  if (hour === calmHour) return null;
  const [before, after] = [offsetAt(hour * HOUR_MS - NEAR_MS), offsetAt(hour * HOUR_MS + NEAR_MS)];
  if (!(after > before)) {
    calmHour = hour;
    return null;
  }
  const shift = (after - before) * MINUTE_MS;
  const [isFirst, isSecond] = [offsetAt(time + shift) === after, offsetAt(time - shift) === before];
  if (offsetAt(time) === before) return isFirst ? time + shift : null;
  return isSecond ? time - shift : null;
}

/** Minutes from local time to UTC. */
function offsetAt(time: number): number {
  return new Date(time).getTimezoneOffset();
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
