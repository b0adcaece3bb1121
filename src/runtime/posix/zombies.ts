/** The part of a file system that is looked at. */
export interface ProcFiles {
  list(folder: string): Iterable<string>;
  read(path: string): string;
}

/**
 * How many processes have ended and wait for this one to collect them; null where the system can't tell. A runtime collects what it
 * has started itself: those are orphans whose last ancestor this process is, as the first process of a container.
 */
export function countZombies({ list, read }: ProcFiles): number | null {
  try {
    let count = 0;
    for (const task of list("/proc/self/task")) {
      for (const pid of read(`/proc/self/task/${task}/children`).split(" ")) if (pid !== "" && isZombie(pid)) count++;
    }
    return count;
  } catch {
    return null;
  }

  function isZombie(pid: string): boolean {
    try {
      const stat = read(`/proc/${pid}/stat`);
      return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
    } catch {
      // Collected meanwhile.
      return false;
    }
  }
}
