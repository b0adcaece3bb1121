/**
 * `brokkr logs --follow`: lines as they are written.
 *
 * @module
 */

import process from "node:process";
import type { LogItem } from "../../core/log/parsed.ts";
import { CliError, ExitCode } from "../cli_error.ts";
import { print } from "../output.ts";
import { FollowedFile } from "./followed_file.ts";
import { type LineOptions, lineText } from "./print_lines.ts";

const POLL_MS = 200;
/** Of what was there before, the last ones are shown, as `tail` does. */
const LAST = 10;
/** Where the last ones are looked for. */
const LAST_BYTES = 65_536;

export interface FollowOptions extends LineOptions {
  readonly files: readonly string[];
  /** Whether all that was there before is asked for. */
  readonly fromStart: boolean;
}

/** Prints until nobody reads any more. */
export async function follow(options: FollowOptions): Promise<number> {
  const { files, fromStart } = options;
  if (files.includes("-")) {
    throw new CliError('Cannot follow standard input: it ends by itself; leave out "--follow"', ExitCode.usage);
  }
  const toText = lineText(options);
  const waiting: string[] = [];
  const events = {
    item: (item: LogItem) => {
      const text = toText(item);
      if (text !== "") waiting.push(text);
    },
    notice: (text: string) => void process.stderr.write(`${text}\n`),
  };
  const followed = files.map((name) => new FollowedFile(name, events));
  try {
    for (const file of followed) begin(file, fromStart);
    if (!fromStart) waiting.splice(0, waiting.length - LAST);
    while (await print(waiting.splice(0).join(""))) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      for (const file of followed) file.poll();
    }
    return ExitCode.done;
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError(`Cannot follow logs: ${error.message}`, ExitCode.usage, { cause: error });
  } finally {
    for (const file of followed) file[Symbol.dispose]();
  }
}

function begin(file: FollowedFile, fromStart: boolean): void {
  file.open(fromStart ? Infinity : LAST_BYTES);
  file.poll();
  file.flush();
}
