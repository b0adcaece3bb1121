/** `brokkr logs --follow`, and `brokkr logs` without a file: lines as they are written, from log files or the running broker. */

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { ControlClient } from "../../core/control/client.ts";
import { RemoteError } from "../../core/faults.ts";
import { LogReader } from "../../core/log/log_reader.ts";
import type { LogItem } from "../../core/log/parse.ts";
import { failureCode } from "../../runtime/posix/failure_reason.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { ArgsOf } from "../commands.ts";
import { CliError, ExitCode, NoBrokerError } from "../exit_codes.ts";
import { askBroker } from "../connect.ts";
import { print } from "../output.ts";
import { lineText } from "./print_lines.ts";
import { LineDecoder } from "./read_log.ts";
import process from "node:process";

const POLL_MS = 200;
/** How many earlier lines are printed first, like `tail`. */
const LAST = 10;
/** How much is read for them. */
const LAST_BYTES = 65_536;

/** Prints until the reader closes its end. */
export async function followFiles(args: ArgsOf<"logs">): Promise<number> {
  const { files, unread } = args;
  // Without a number, all since a time, else as many as `tail` prints.
  const last = args.count ?? (args.since === undefined ? LAST : Infinity);
  if (files.includes("-")) {
    throw new CliError('Cannot follow standard input: it ends by itself; leave out "--follow"');
  }
  const toText = lineText(args, { events: args.lines || args.count !== undefined || !unread });
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
    for (const file of followed) {
      file.open(args.since !== undefined || last > LAST ? Infinity : LAST_BYTES);
      file.poll();
      file.flush();
    }
    waiting.splice(0, Math.max(0, waiting.length - last));
    while (await print(waiting.splice(0).join(""))) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      for (const file of followed) file.poll();
    }
    return ExitCode.done;
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError(`Cannot follow logs: ${error.message}`, { cause: error });
  } finally {
    for (const file of followed) file[Symbol.dispose]();
  }
}

const CHUNK_BYTES = 65_536;
/** How much of the last read data is compared with the file: if it differs, the file was truncated and rewritten. */
const SEEN_BYTES = 256;
/** Polls without data after which the last event is taken to be complete. */
const QUIET_POLLS = 2;

interface FollowedEvents {
  readonly item: (item: LogItem) => void;
  /** Something to tell the user: the file is missing, was replaced or was truncated. */
  readonly notice: (text: string) => void;
}

export class FollowedFile implements Disposable {
  readonly #name: string;
  readonly #events: FollowedEvents;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #reader = new LogReader();
  #decoder = new LineDecoder();
  #file: number | null = null;
  #position = 0;
  /** The bytes before the position. */
  #seen: Uint8Array = new Uint8Array();
  /** The rest of a line whose beginning was not read is skipped. */
  #skipsLine = false;
  #quiet = 0;
  #isAwaited = false;

  constructor(name: string, events: FollowedEvents) {
    this.#name = name;
    this.#events = events;
  }

  /** Begins this many bytes before the end. @throws the system's error, unless the file does not exist yet. */
  open(bytesBeforeEnd: number): void {
    try {
      this.#file = openSync(this.#name, "r");
    } catch (error) {
      if (failureCode(error) !== "ENOENT") throw error;
      if (!this.#isAwaited) this.#events.notice(`"${this.#name}" does not exist yet; waiting for it`);
      this.#isAwaited = true;
      return;
    }
    this.#isAwaited = false;
    this.#position = Math.max(0, fstatSync(this.#file).size - bytesBeforeEnd);
    this.#skipsLine = this.#position > 0;
    this.#seen = this.#before(this.#file, SEEN_BYTES);
    this.#reader.begin(this.#name, this.#skipsLine ? null : 0);
  }

  /** Reads what was written since the last poll. */
  poll(): void {
    if (this.#file === null) this.open(Infinity);
    if (this.#file === null) return;
    if (!this.#isUnchanged(this.#file)) {
      this.#restart();
      this.#events.notice(`"${this.#name}" was truncated`);
    }
    if (this.#readOn(this.#file)) {
      this.#quiet = 0;
      return;
    }
    const now = statSync(this.#name, { throwIfNoEntry: false });
    // If it is missing, it is being rotated.
    if (now === undefined) return this.#rest();
    const mine = fstatSync(this.#file);
    if (now.ino !== mine.ino || now.dev !== mine.dev) {
      // The last writes before it was moved away.
      this.#readOn(this.#file);
      this.#restart();
      this[Symbol.dispose]();
      this.#events.notice(`"${this.#name}" is another file now`);
      this.open(Infinity);
      this.poll();
    } else this.#rest();
  }

  /** Passes on the event that was held back because more lines might belong to it. */
  flush(): void {
    for (const item of this.#reader.end()) this.#events.item(item);
  }

  [Symbol.dispose](): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #isUnchanged(file: number): boolean {
    const there = this.#before(file, this.#seen.length);
    return there.length === this.#seen.length && there.every((byte, index) => byte === this.#seen[index]);
  }

  /** At most `length` bytes before the position, as the file has them now. */
  #before(file: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(length, this.#position));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, this.#position - bytes.length));
  }

  #rest(): void {
    if (++this.#quiet === QUIET_POLLS) this.flush();
  }

  #readOn(file: number): boolean {
    let any = false;
    for (;;) {
      const got = readSync(file, this.#buffer, 0, CHUNK_BYTES, this.#position);
      if (got === 0) break;
      any = true;
      this.#position += got;
      this.#decoder.push(this.#buffer.subarray(0, got), (line) => this.#take(line));
    }
    if (any) this.#seen = this.#before(file, SEEN_BYTES);
    return any;
  }

  #take(line: string): void {
    if (this.#skipsLine) this.#skipsLine = false;
    else for (const item of this.#reader.push(line)) this.#events.item(item);
  }

  #restart(): void {
    this.#decoder.end((line) => this.#take(line));
    this.flush();
    this.#decoder = new LineDecoder();
    this.#reader = new LogReader();
    this.#reader.begin(this.#name);
    this.#position = 0;
    this.#seen = new Uint8Array();
    this.#skipsLine = false;
  }
}

/** More than a broker keeps. */
const ALL_RECORDS = 1_000_000;

/** Prints the broker's last records, and with `--follow` new ones until the reader closes its end or the broker ends. */
export async function followBroker(runtime: Runtime, args: ArgsOf<"logs">): Promise<number> {
  const { broker, follow, level = "info", events, since } = args;
  const last = args.count ?? (follow && since === undefined ? LAST : ALL_RECORDS);
  const toText = lineText(args, { events: true, unread: false });
  const reader = new LogReader();
  const wanted = {
    level,
    follow,
    // The filter drops some of them, and has to see them all to find the last ones that it keeps.
    last: follow ? last : ALL_RECORDS,
    ...(events.length === 0 ? {} : { events }),
  };
  return await (follow ? askBroker : askOrName)(runtime, broker, async (client) => {
    const earlier: string[] = [];
    try {
      for await (const { lines } of client.records(wanted)) {
        // A record is complete, so nothing is held back.
        const items = [...lines.flatMap((line) => reader.push(line)), ...reader.end()];
        const text = items.map(toText).join("");
        if (!follow) earlier.push(...text === "" ? [] : [text]);
        else if (!await print(text)) break;
      }
    } catch (error) {
      throw error instanceof RemoteError ? cutOff(error) : error;
    }
    await print(earlier.slice(-last).join(""));
    return ExitCode.done;
  });
}

function cutOff(error: RemoteError): CliError {
  const remedy = "read faster, or ask for less with --level or --event";
  return new CliError(`Cannot follow the broker any further: ${error.message}, ${remedy}`, {
    cause: error,
    exitCode: ExitCode.failed,
  });
}

/** Reminds of the file, in case its name was forgotten. */
async function askOrName<T>(runtime: Runtime, broker: string | undefined, body: (client: ControlClient) => Promise<T>) {
  try {
    return await askBroker(runtime, broker, body);
  } catch (error) {
    if (!(error instanceof NoBrokerError)) throw error;
    throw new NoBrokerError(`${error.message}; or name log files, such as brokkr logs broker.log`, { cause: error });
  }
}
