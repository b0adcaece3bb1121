/** The system's `kill`: a signal or 0, which only asks. Throws where there is nobody. */
export type Kill = (pid: number, signal: string | 0) => void;

/** The target of a signal: a process that may be gone, and the group it may have led. */
export interface Target {
  readonly pid: number;
  /** When the process was started, or null where the system does not tell. */
  readonly startTime: string | null;
  /** Its end has been seen, so its pid may be another's by now. */
  readonly isGone: boolean;
  readonly group: boolean;
}

/** What the system can do with processes. */
export interface System {
  readonly kill: Kill;
  readonly startTime: (pid: number) => string | null;
}

/** False where there is nobody to signal. */
export function signalProcess(signal: string, { pid, startTime, isGone, group }: Target, system: System): boolean {
  // The runtime may have collected the process and not told yet.
  const now = startTime === null || isGone ? startTime : system.startTime(pid);
  if (now !== null && now !== startTime) return false;
  // A group keeps its number from being given to a new process. One without a process of that number is the orphans' own.
  const isEmpty = isGone || now !== startTime;
  if (isEmpty && !(group && !attempt(() => system.kill(pid, 0)))) return false;
  return attempt(() => system.kill(group ? -pid : pid, signal));
}

function attempt(fn: () => void): boolean {
  try {
    fn();
    return true;
  } catch {
    return false;
  }
}
