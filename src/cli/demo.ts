/**
 * The program of `brokkr demo`: a broker with modules and workers, a call of each outcome, and tables of the results. The modules work
 * on this machine's real data: its processes, its load, its installed files.
 */

import process from "node:process";
import {
  Broker,
  type BrokerError,
  type BrokerStatus,
  defineModule,
  type EventId,
  type LogRecord,
  type ProcessStatus,
} from "../../mod.ts";
import { attempt } from "../core/checks.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ArgsOf } from "./commands.ts";
import { mebibytes, milliseconds } from "./figures.ts";
import { hasColors, print } from "./output.ts";
import { processRows } from "./status_rows.ts";
import { DEMO_PROGRAM, PROGRAM_VARIABLE } from "./own_program.ts";
import { bold, paintLine, table } from "./terminal.ts";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, platform, totalmem, uptime } from "node:os";

/** The events that the demo shows, one of each: all of them would be too much to read. */
const SHOWN: readonly EventId[] = [
  "cleanup.start",
  "cleanup.error",
  "cleanup.done",
  "call.answered",
  "call.retry",
  "call.timeout",
  "call.another-answer",
  "command.unknown",
  "command.error",
  "call.error",
  "process.backoff",
];

/** Picks one line of each outcome, and the cleanup of one process. */
function firstOfEach(): (record: LogRecord) => boolean {
  const seen = new Set<EventId>();
  return ({ event, module, pid, fields }) => {
    if (!SHOWN.includes(event) || seen.has(event)) return false;
    if (event.startsWith("cleanup.") && module !== livestatus.name) return false;
    // What modules call from each other has the same line. The other errors have a line of the module itself.
    if (event === "call.answered" && pid !== process.pid) return false;
    if (event === "call.error" && !/^process /.test(String(Reflect.get(fields, "message")))) return false;
    seen.add(event);
    return true;
  };
}

/** The command. */
export async function demo(runtime: Runtime, { json }: ArgsOf<"demo">): Promise<number> {
  runtime.env.set(PROGRAM_VARIABLE, DEMO_PROGRAM);
  return await runDemo({ json });
}

/** Runs the demo, in its processes too; resolves with the exit code. */
export async function runDemo({ json }: { readonly json: boolean }): Promise<number> {
  const colors = hasColors(json ? "stderr" : "stdout");
  // With --json standard output has the document only.
  // A failure to write is reported when the result is printed.
  const show = (text: string) => void (json ? process.stderr.write(text) : print(text).catch(() => {}));
  const isShown = firstOfEach();
  const log = (record: LogRecord) => {
    if (!isShown(record)) return;
    for (const line of record.lines()) show(`${paintLine(line, record.level, colors)}\n`);
  };
  const heading = (text: string) => show(`\n${bold(text, colors)}\n`);

  heading("Three modules start, two with data of their own; each new process frees what belongs to the others");
  const broker = await Broker.start({
    name: "broker-master",
    modules: [livestatus, sla, webui],
    logLevel: "debug",
    log,
  });
  show("The other processes are cleaned up the same way.\n");
  try {
    heading("Calls, one line for each outcome");
    const calls = await makeCalls(broker);
    const status = await broker.status();
    await broker.stop();
    await print(json ? `${JSON.stringify({ calls, status })}\n` : demoReport(calls, status, colors));
    return meetsExpectations(calls, status) ? 0 : 1;
  } finally {
    await broker.stop();
  }
}

async function makeCalls(broker: Broker): Promise<DemoCall[]> {
  const calls: DemoCall[] = [];
  const call = async (what: string, target: string, command: string, params: unknown[], timeoutMs = 1000) => {
    const shown = `${target} ${command} ${JSON.stringify(params)}`;
    try {
      const result = await broker.call(target, command, params, { timeoutMs });
      calls.push({ what, call: shown, outcome: JSON.stringify(result) ?? "done" });
    } catch (error) {
      const { name, message } = error as BrokerError;
      calls.push({ what, call: shown, outcome: `${name}: ${message}` });
    }
  };
  await call("answered, by two workers", "Livestatus", "get_module_info", []);
  await call("answered, from module to module", "WebUI", "get_page", []);
  await call("answered", "sla", "get_module_info", []);
  await call("answered after the retry", "sla", "rebuild", [300], 200);
  await call("timed out twice", "sla", "rebuild", [700], 200);
  // The late answer arrives while this call waits, and must not be taken for its answer.
  await call("answered, despite a late one", "sla", "rebuild", [500]);
  await call("unknown command", "sla", "get_reprot", ["2021-10"]);
  await call("crash in the command", "sla", "get_trend", ["2021-10"]);
  await call("process gone", "sla", "exit", [3]);
  // Its timeout runs while the replacement starts, which is slow on a busy machine.
  await call("answered by its successor", "sla", "get_module_info", [], 10_000);
  return calls;
}

/** The demo is also a test of the machine it runs on. */
function meetsExpectations(calls: readonly DemoCall[], status: BrokerStatus): boolean {
  const failed = calls.filter(({ outcome }) => /^\w+Error: /.test(outcome)).map(({ what }) => what);
  const expected = ["timed out twice", "unknown command", "crash in the command", "process gone"];
  return failed.join() === expected.join() && status.modules.every(({ state }) => state === "ready");
}

interface DemoCall {
  readonly what: string;
  readonly call: string;
  readonly outcome: string;
}

/** The calls with their outcomes, then the processes. */
function demoReport(calls: readonly DemoCall[], status: BrokerStatus, colors: boolean): string {
  const options = { colors, width: process.stdout.columns || 160 };
  const callRows = calls.map(({ what, call, outcome }) => [what, call, outcome]);
  const rows = processRows(status).map(({ status, module }) => [
    module === null ? status.name : `  ${status.name}`,
    ...COLUMNS.map(([, text]) => String(text(status))),
  ]);
  const { name, runtime, version } = status.broker;
  return [
    "",
    bold("What the callers got", colors),
    "",
    ...table(["outcome", "call", "result"], callRows, options),
    "",
    bold(
      `Processes of ${name} (brokkr ${version}, ${runtime}): private memory before and after the cleanup, calls`,
      colors,
    ),
    "",
    ...table(["process", ...COLUMNS.map(([heading]) => heading)], rows, options),
    "",
    "",
  ].join("\n");
}

const COLUMNS: readonly (readonly [heading: string, text: (status: ProcessStatus) => string | number])[] = [
  [" pid", ({ pid }) => pid ?? "-"],
  ["state", ({ state }) => state],
  [" restarts", ({ restarts }) => restarts],
  [" cleanup", ({ cleanup }) => milliseconds(cleanup?.ms ?? null)],
  [" before", ({ cleanup }) => mebibytes(cleanup?.privateBytesBefore)],
  [" after", ({ cleanup }) => mebibytes(cleanup?.privateBytesAfter)],
  [" ok", ({ calls }) => calls.ok],
  [" retried", ({ calls }) => calls.retried],
  [" timeout", ({ calls }) => calls.timeout],
  [" error", ({ calls }) => calls.error],
  [" late", ({ calls }) => calls.late],
  [" p50", ({ latencyMs }) => milliseconds(latencyMs.p50)],
  [" p99", ({ latencyMs }) => milliseconds(latencyMs.p99)],
];

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
const sla = defineModule({
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
const livestatus = defineModule({
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
const webui = defineModule({
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
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
    return stat === undefined ? "gone" : stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "?";
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

/** Folders that this user may not read are left out. */
function readFolder(folder: string) {
  return attempt(() => readdirSync(folder, { withFileTypes: true })) ?? [];
}

function changeOf(path: string): FileChange {
  const { size, mtime } = lstatSync(path);
  return { path, bytes: size, month: mtime.toISOString().slice(0, 7), day: mtime.getDate() };
}
