/** Running the broker that a configuration describes, with its log in a file or on standard error. */

import { dirname, relative, resolve } from "node:path";
import { BrokerCore } from "../core/broker/broker.ts";
import { exposeBroker } from "../core/control/server.ts";
import type { LogFunction } from "../core/log/broker_log.ts";
import type { EventFields } from "../core/log/events.ts";
import type { LogLevel } from "../core/log/prefix.ts";
import { messageOf } from "../core/user_code.ts";
import { failureCode, systemReason } from "../runtime/posix/failure_reason.ts";
import type { Clock, Runtime } from "../runtime/runtime.ts";
import { asUsage, CliError } from "./exit_codes.ts";
import { type Config, readConfig } from "./config/read_config.ts";
import { LOG, type LogKeys } from "./config/file_keys.ts";
import { LogFile } from "./log_file.ts";
import { hasColors } from "./output.ts";
import type { PageArgs } from "./page/page.ts";
import { paintLine } from "./terminal.ts";
import { planOf, warn } from "./plan.ts";

interface RunOptions {
  readonly depth: number;
  readonly page: PageArgs | null;
  readonly name: string | undefined;
  /** Whether changed files are loaded again. */
  readonly watch: boolean;
}

/** Never settles: the process ends with the broker. */
export async function runConfig(
  runtime: Runtime,
  file: string,
  { depth, page, name, watch }: RunOptions,
): Promise<number> {
  const config = await readConfig(file, runtime, name);
  warn(runtime, config);
  const { plan, host } = await planOf(config);
  // The first line is of the broker, and none is lost before it.
  const log = openLog(config, runtime, (fields) => core.report("log.lost", fields));
  if (page !== null) {
    const { openPage } = await import("./page/page.ts");
    await openPage(runtime, page, plan.name);
  }
  const core = new BrokerCore({ ...plan, log: log.write }, { runtime, depth, ...host });
  core.whenStopped(() => Promise.resolve(log.close()));
  // Reads happen one after the other, so that the newest wins; none waits for the changes that an earlier one started.
  let reading: Promise<Config> = Promise.resolve(config);
  const absolute = resolve(file);
  const reload = () => {
    // Messages show the path as given, as long as it still leads to the file.
    const hasFolder = runtime.startedIn !== null && runtime.isFolder(runtime.startedIn);
    const again = hasFolder ? file : absolute;
    reading = reading.then((config) => readAgain(core, { runtime, file: again, name, config }));
  };
  try {
    await exposeBroker(core, { runtime, control: true, signals: true, reload });
  } catch (error) {
    log.close();
    throw asUsage(error);
  }
  if (watch) void reloadChanged(core, { clock: runtime.clock, file: absolute, reload, config: () => reading });
  await start(core);
  return await new Promise<never>(() => {});
}

/** @throws {CliError} where its cluster is not configured right, or another broker has its name there. */
async function start(core: BrokerCore): Promise<void> {
  try {
    await core.start();
    core.checkClusterName();
  } catch (error) {
    await core.stop();
    throw asUsage(error);
  }
}

interface WatchOptions {
  readonly clock: Clock;
  readonly file: string;
  readonly reload: () => void;
  readonly config: () => Promise<Config>;
}

/** Until the broker has stopped. */
async function reloadChanged(core: BrokerCore, { clock, file, reload, config }: WatchOptions): Promise<void> {
  const { filesOf, watchFiles } = await import("./watch_files.ts");
  const stopped = new AbortController();
  core.whenStopped(() => stopped.abort());
  let current = await config();
  await watchFiles({
    clock,
    files: () => new Map([...filesOf(current), ["", [file]]]),
    signal: stopped.signal,
    async changed(process, [first = "", ...more]) {
      if (process === "") {
        reload();
        current = await config();
        return;
      }
      const files = relative(dirname(file), first) + (more.length === 0 ? "" : ` and ${more.length} more`);
      core.report("broker.files-changed", { process, files });
      await core.reload(process).catch((error: unknown) => refuse(core, messageOf(error)));
    },
  });
}

interface Again {
  readonly runtime: Runtime;
  readonly file: string;
  readonly name: string | undefined;
  /** As it was. */
  readonly config: Config;
}

/** Starts to apply the configuration as it is now. If it is wrong, a line says so and nothing changes. */
async function readAgain(core: BrokerCore, { runtime, file, name, config: before }: Again): Promise<Config> {
  try {
    const config = await readConfig(file, runtime, name);
    if (config.broker.name !== core.name) {
      refuse(core, `the broker's name is "${core.name}" and can not become "${config.broker.name}"`);
      return before;
    }
    if (!core.hasCluster(config.cluster)) {
      refuse(core, '"cluster" can not change while the broker runs, restart it');
      return before;
    }
    const { plan, host } = await planOf(config);
    core.follow(plan, host).catch((error: unknown) => refuse(core, messageOf(error)));
    return config;
  } catch (error) {
    refuse(core, messageOf(error));
    return before;
  }
}

function refuse(core: BrokerCore, reason: string): void {
  core.report("broker.not-reloaded", { reason });
}

const URGENT: readonly LogLevel[] = ["warning", "error", "fatal"];

type Lost = (fields: EventFields["log.lost"]) => void;

interface LogOutput {
  readonly write: LogFunction;
  /** Returns when all lines are written. */
  close(): void;
}

/** @param tell is called when lines were lost. @throws {CliError} if the file can't be written. */
function openLog({ log }: Config, runtime: Runtime, tell: Lost): LogOutput {
  if (log.file !== undefined) return toFile(log.file, { ...log, runtime, tell });
  const colors = hasColors("stderr");
  const write: LogFunction = (record) => {
    const lines = record.lines().map((line) => `${paintLine(line, record.level, colors)}\n`);
    runtime.writeError(lines.join(""));
  };
  return { write, close() {} };
}

type FileOptions = LogKeys & { readonly runtime: Runtime; readonly tell: Lost };

function toFile(
  path: string,
  { maxBytes = LOG.maxBytes.default, keep = LOG.keep.default, runtime, tell }: FileOptions,
): LogOutput {
  const say = (text: string) => runtime.writeError(`brokkr: ${text}\n`);
  let file: LogFile;
  try {
    file = new LogFile(path, {
      clock: runtime.clock,
      maxBytes,
      keep,
      failed: (doing, error) => say(failureText(path, doing, error)),
      lost(lines, error) {
        say(`log file "${path}" is written again, ${lines} lines are lost`);
        tell({ file: path, lines, reason: systemReason(error) });
      },
    });
  } catch (cause) {
    const remedy = failureCode(cause) === "ENXIO" ? REMEDIES.get("ENXIO") : "correct log.file";
    throw new CliError(`Cannot write log file "${path}": ${systemReason(cause)}, ${remedy}`, { cause });
  }
  return {
    // Lines that matter after a sudden end are written at once.
    write: (record) => file.write(`${record.lines().join("\n")}\n`, URGENT.includes(record.level)),
    close() {
      file.close();
      if (file.lost > 0) say(`log file "${path}" could not be written to the end, ${file.lost} lines are lost`);
    },
  };
}

function failureText(path: string, doing: "write" | "rotate", error: unknown): string {
  const remedy = REMEDIES.get(failureCode(error) ?? "") ?? "correct that";
  return doing === "write"
    ? `cannot write log file "${path}": ${systemReason(error)}; lines are lost until it can be written, ${remedy}`
    : `cannot rotate log file "${path}": ${systemReason(error)}; it grows beyond log.maxBytes, ${remedy}`;
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "make room on its file system"],
  ["EDQUOT", "make room for this user on its file system"],
  ["EACCES", "let this user write in its folder"],
  ["EPERM", "let this user write in its folder"],
  ["EROFS", "make its file system writable"],
  ["ENOENT", "make its folder again"],
  ["ENOTDIR", "make its folder again"],
  ["EISDIR", "remove the folder that is in its place"],
  ["ENXIO", "start what reads the pipe first"],
  ["EPIPE", "start again what reads the pipe"],
  ["EEXIST", "remove the file that is in the place of its folder"],
]);
