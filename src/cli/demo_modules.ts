/** The modules of `brokkr demo`. They work on this machine's real data: its processes, its load, its installed files. */

import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, platform, totalmem, uptime } from "node:os";
import { defineModule } from "../../mod.ts";

/** When one installed file last changed. */
interface FileChange {
  readonly path: string;
  readonly bytes: number;
  /** `YYYY-MM` */
  readonly month: string;
  readonly day: number;
}

const HISTORY_ROOTS = ["/etc", "/usr/lib", "/usr/share", "/Library", "/System/Library"];
const HISTORY_FILES = 12_000;

/** At the top level on purpose: every process of the program loads it, and the cleanup releases it. */
const history = loadHistory();

/** `sla` has the files of this machine and when they changed. */
export const sla = defineModule({
  name: "sla",
  commands: {
    get_module_info: () => ({ files: history.length, months: new Set(history.map((change) => change.month)).size }),
    get_report: (month: string) => {
      const changes = history.filter((change) => change.month === month);
      return { month, files: changes.length, bytes: changes.reduce((sum, change) => sum + change.bytes, 0) };
    },
    get_months: () => [...new Set(history.map((change) => change.month))].toSorted(),
    /** Takes `ms` milliseconds. */
    rebuild: (ms: number): Promise<number> => new Promise((resolve) => setTimeout(resolve, ms, history.length)),
    /** Throws, as real commands do. */
    get_trend: (month: string) => trendOf(month),
    /** Ends its process in the middle of a call. */
    exit: (code: number) => process.exit(code),
  },
  afterForkCleanup() {
    history.length = 0;
  },
});

/** `Livestatus` asks its workers, which read the process table in turn. */
export const livestatus = defineModule({
  name: "Livestatus",
  workers: {
    count: 2,
    commands: {
      count_processes: (state: string) => processStates().filter((found) => found === state).length,
      get_load: () => ({ load: loadavg()[0] ?? 0, processors: cpus().length, uptimeS: Math.round(uptime()) }),
    },
  },
  commands: (ctx) => ({
    get_module_info: async (): Promise<HostInfo> => {
      const [sleeping, running, load] = await Promise.all([
        ctx.workers.call("count_processes", ["S"]),
        ctx.workers.call("count_processes", ["R"]),
        ctx.workers.call("get_load"),
      ]);
      return { host: platform(), sleeping, running, memoryBytes: totalmem(), ...load };
    },
  }),
});

interface HostInfo {
  readonly host: string;
  readonly sleeping: number;
  readonly running: number;
  readonly memoryBytes: number;
  readonly load: number;
  readonly processors: number;
  readonly uptimeS: number;
}

class IOError extends Error {
  override readonly name = "IOError";
}

/** The cleanup of `WebUI` fails; the others are cleaned all the same. */
export const webui = defineModule({
  name: "WebUI",
  commands: (ctx) => ({
    get_page: async (): Promise<string> => {
      const months = await ctx.call(sla, "get_months");
      const last = months.at(-1) ?? "none";
      const report = await ctx.call(sla, "get_report", [last]);
      return `${months.length} months of changes, the last is ${last} with ${report.files} files`;
    },
  }),
  afterForkCleanup() {
    throw new IOError("IOError occurred");
  },
});

/** State letters of all processes, where the system shows them. */
function processStates(): string[] {
  if (platform() !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "?";
    } catch {
      return "gone";
    }
  });
}

function trendOf(month: string): number {
  const changes: FileChange[] | undefined = new Map([["none", history]]).get(month);
  if (changes === undefined) throw new TypeError("'int' object is not iterable");
  return changes.length;
}

function loadHistory(): FileChange[] {
  const changes: FileChange[] = [];
  const folders = [...HISTORY_ROOTS];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const entry of readFolder(folder)) {
      if (changes.length >= HISTORY_FILES) return changes;
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) changes.push(changeOf(path));
    }
  }
  return changes;
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Folders that this user may not read are left out.
    return [];
  }
}

function changeOf(path: string): FileChange {
  const { size, mtime } = lstatSync(path);
  return { path, bytes: size, month: mtime.toISOString().slice(0, 7), day: mtime.getDate() };
}
