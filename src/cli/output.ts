/** Standard output: complete results, for readers of any speed. A reader that closed its end is no failure, anything else is. */

import { Console } from "node:console";
import { escapeLines } from "../core/log/escape.ts";
import { failureCode, systemReason } from "../runtime/posix/failure_reason.ts";
import { CliError, ExitCode } from "./exit_codes.ts";

/** Not by `node:process`: to list what that exports, Node opens the three standard streams. */
const { process } = globalThis;

/** Moves the cursor home and clears the screen. */
const CLEAR = "\x1b[H\x1b[J";

let isWatched = false;
let readerGone = false;
let failure: CliError | undefined;

/**
 * Writes `text` and settles when it is written; false when the reader has closed its end. On a terminal, control characters other
 * than colors are escaped, and `clear` clears the screen first.
 *
 * @throws {CliError} if it can't be written.
 */
export async function print(given: string, { clear = false } = {}): Promise<boolean> {
  const isTerminal = process.stdout.isTTY === true;
  const text = isTerminal ? `${clear ? CLEAR : ""}${escapeLines(given, { colors: true })}` : given;
  watch();
  if (!readerGone && failure === undefined) {
    await new Promise<void>((resolve) => {
      const done = (error?: unknown) => {
        if (error) failed(error);
        resolve();
      };
      try {
        process.stdout.write(text, done);
      } catch (error) {
        // Deno writes to files synchronously.
        done(error);
      }
    });
  }
  if (failure !== undefined) throw failure;
  return !readerGone;
}

/** `error` of standard output as a failure; null if the reader closed its end. */
export function outputFailure(error: unknown): CliError | null {
  const code = failureCode(error);
  // A socket that was closed with unread data reports ECONNRESET.
  if (code === "EPIPE" || code === "ECONNRESET") return null;
  const message = `Cannot write to standard output: ${systemReason(error)}`;
  return new CliError(code === "ENOSPC" ? `${message}; make room on its file system` : message, {
    cause: error,
    exitCode: ExitCode.failed,
  });
}

function failed(error: unknown): void {
  const why = outputFailure(error);
  if (why === null) readerGone = true;
  else failure ??= why;
}

/** Without a listener, a reader that closes its end would crash this process. */
function watch(): void {
  if (isWatched) return;
  isWatched = true;
  process.stdout.on("error", failed);
}

/** On a terminal, control characters are escaped; programs get `text` unchanged. */
export function shown(text: string): string {
  return process.stdout.isTTY === true ? escapeLines(text) : text;
}

/** Whether `stream` is a terminal that should have colors. */
export function hasColors(stream: "stdout" | "stderr"): boolean {
  return process[stream].isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

interface DivertedOutput {
  /** Writes to standard output. */
  readonly write: typeof process.stdout.write;
  /** Undoes the diversion. */
  restore(): void;
}

export function divertOutput(): DivertedOutput {
  const { console } = globalThis;
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  globalThis.console = new Console(process.stderr, process.stderr);
  return {
    write,
    restore() {
      process.stdout.write = write;
      globalThis.console = console;
    },
  };
}
