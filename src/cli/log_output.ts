/**
 * Where the log lines of `brokkr run` go: a file that is rotated, or standard error, there with colors for people.
 *
 * @module
 */

import type { LogFunction } from "../core/log/broker_log.ts";
import type { EventFields, LogLevel } from "../core/log/record.ts";
import { failureCode, systemReason } from "../runtime/failure_reason.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import type { Config } from "./config/config.ts";
import { LogFile } from "./log_file.ts";
import { hasColors } from "./output.ts";
import { paintLine } from "./paint.ts";

const DEFAULT_MAX_BYTES = 10_000_000;
const DEFAULT_KEEP = 5;
const URGENT: readonly LogLevel[] = ["warning", "error", "fatal"];

export interface LogOutput {
  readonly write: LogFunction;
  /** Sets what is told when lines did not come to where they belong. */
  whenLost(fn: (fields: EventFields["log.lost"]) => void): void;
  /** Returns when all lines are where they belong. */
  close(): void;
}

/** @throws {CliError} where the file can't be written. */
export function openLog({ log }: Config, runtime: Runtime): LogOutput {
  return log.file === undefined ? toStandardError(runtime) : toFile(log.file, log, runtime);
}

function toStandardError(runtime: Runtime): LogOutput {
  const colors = hasColors("stderr");
  return {
    write: (record) => {
      const lines = record.lines().map((line) => `${paintLine(line, record.level, colors)}\n`);
      runtime.writeError(lines.join(""));
    },
    whenLost() {},
    close() {},
  };
}

function toFile(
  path: string,
  { maxBytes = DEFAULT_MAX_BYTES, keep = DEFAULT_KEEP }: Config["log"],
  runtime: Runtime,
): LogOutput {
  const say = (text: string) => runtime.writeError(`brokkr: ${text}\n`);
  let tell: (fields: EventFields["log.lost"]) => void = () => {};
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
    throw new CliError(`Cannot write log file "${path}": ${systemReason(cause)}, ${remedy}`, ExitCode.usage, {
      cause,
    });
  }
  return {
    // What someone looks for after a sudden end is written at once.
    write: (record) => file.write(`${record.lines().join("\n")}\n`, URGENT.includes(record.level)),
    whenLost: (fn) => tell = fn,
    close() {
      file.close();
      if (file.lost > 0) say(`log file "${path}" could not be written to the end, ${file.lost} lines are lost`);
    },
  };
}

function failureText(path: string, doing: "write" | "rotate", error: unknown): string {
  const remedy = REMEDIES.get(failureCode(error) ?? "") ?? "mend that";
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
