import type { MemoryUsage } from "../runtime.ts";

export const UNKNOWN_MEMORY: MemoryUsage = { rssBytes: null, pssBytes: null, privateBytes: null };

/** Reads the text of Linux' `/proc/PID/smaps_rollup`. */
export function fromSmapsRollup(text: string): MemoryUsage {
  const bytes = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, kibibytes] = /^(\w+):\s+(\d+) kB$/.exec(line) ?? [];
    if (name !== undefined && kibibytes !== undefined) bytes.set(name, Number(kibibytes) * 1024);
  }
  const dirty = bytes.get("Private_Dirty");
  return {
    rssBytes: bytes.get("Rss") ?? null,
    pssBytes: bytes.get("Pss") ?? null,
    privateBytes: dirty === undefined ? null : dirty + (bytes.get("Private_Hugetlb") ?? 0),
  };
}

/** Reads what `ps -o rss= -p PID` prints, where there is no `/proc`. */
export function fromPs(text: string): MemoryUsage {
  const kibibytes = /^\s*(\d+)\s*$/.exec(text)?.[1];
  return kibibytes === undefined ? UNKNOWN_MEMORY : { ...UNKNOWN_MEMORY, rssBytes: Number(kibibytes) * 1024 };
}
