/** The system's `kill`: a signal or 0, which only asks. Throws where there is nobody. */
export type Kill = (pid: number, signal: string | 0) => void;

/** The target of a signal: a process that may be gone, and the group it may have led. */
export interface Target {
  readonly pid: number;
  /** Its end has been seen, so its pid may be another's by now. */
  readonly isGone: boolean;
  readonly group: boolean;
}

/** False where there is nobody to signal. */
export function signalProcess(signal: string, { pid, isGone, group }: Target, kill: Kill): boolean {
  // A group keeps its number from being given to a new process. One without a process of that number is the orphans' own.
  if (isGone && !(group && !attempt(() => kill(pid, 0)))) return false;
  return attempt(() => kill(group ? -pid : pid, signal));
}

function attempt(fn: () => void): boolean {
  try {
    fn();
    return true;
  } catch {
    return false;
  }
}
