/**
 * Where the log lines of `brokkr run` go: a file that is rotated, or standard error, there with colors for people.
 *
 * @module
 */

import { getRotatingFileSink } from "@logtape/file";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { dispose } from "../core/cleanup/dispose.ts";
import type { LogFunction } from "../core/log/broker_log.ts";
import type { LogLevel, LogRecord } from "../core/log/record.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import type { Config } from "./config/config.ts";
import { hasColors } from "./output.ts";
import { paintLine } from "./paint.ts";

const DEFAULT_MAX_BYTES = 10_000_000;
const DEFAULT_KEEP = 5;
/** How long a line may wait for its way into the file. */
const FLUSH_MS = 100;
const URGENT: readonly LogLevel[] = ["warning", "error", "fatal"];

export interface LogOutput {
  readonly write: LogFunction;
  /** Settles when all lines are where they belong. */
  close(): Promise<void>;
}

/** @throws {CliError} where the file can't be written. */
export function openLog({ log }: Config, runtime: Runtime): LogOutput {
  return log.file === undefined ? toStandardError(runtime) : toFile(log.file, log);
}

function toStandardError(runtime: Runtime): LogOutput {
  const colors = hasColors("stderr");
  return {
    write: (record) => {
      const lines = record.lines().map((line) => `${paintLine(line, record.level, colors)}\n`);
      runtime.writeError(lines.join(""));
    },
    close: () => Promise.resolve(),
  };
}

function toFile(file: string, { maxBytes, keep }: Config["log"]): LogOutput {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const sink = getRotatingFileSink(file, {
      maxSize: maxBytes ?? DEFAULT_MAX_BYTES,
      maxFiles: keep ?? DEFAULT_KEEP,
      nonBlocking: true,
      flushInterval: FLUSH_MS,
      formatter: ({ message }) => `${message.join("")}\n`,
    });
    return {
      write: (record) => sink(logtapeRecord(record)),
      close: () => dispose(sink),
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`Cannot write log file "${file}": ${why}, correct log.file`, ExitCode.usage, { cause });
  }
}

function logtapeRecord(record: LogRecord) {
  const text = record.lines().join("\n");
  return {
    category: ["brokkr"],
    level: record.level,
    message: [text],
    rawMessage: text,
    // What someone looks for after a sudden end is written at once: the sink flushes when its interval has passed.
    timestamp: URGENT.includes(record.level) ? Infinity : record.time,
    properties: {},
  };
}
