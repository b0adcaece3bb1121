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

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
