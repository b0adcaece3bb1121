/**
 * When a process was started, as the system counts: with the pid it tells one process from any other, ever. The 22nd field of Linux'
 * `/proc/PID/stat`; null where that can't be read.
 */
export function startTimeOf(readStat: () => string): string | null {
  try {
    const stat = readStat();
    // The second field is the program's name in parentheses, which may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
