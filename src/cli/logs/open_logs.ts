/** Opening log files: plain or gzip, files or streams, grouped with their rotated ones. All are checked before any is read. */

import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { joinBytes } from "../../core/wire/frame.ts";
import { splitRecords } from "../../core/log/parse.ts";
import { PrefixReader, twinOf } from "../../core/log/prefix.ts";
import { messageOf } from "../../core/user_code.ts";
import { failureCode } from "../../runtime/posix/failure_reason.ts";
import { CliError } from "../exit_codes.ts";
import { gunzip, isGzip } from "./gunzip.ts";
import process from "node:process";
import { Readable } from "node:stream";

/** How much of a source is searched for its first record. */
const HEAD_BYTES = 65_536;
const OTHER_PACKERS: readonly (readonly [magic: readonly number[], command: string])[] = [
  [[0x28, 0xb5, 0x2f, 0xfd], "zstd -dc"],
  [[0xfd, 0x37, 0x7a, 0x58], "xz -dc"],
  [[0x42, 0x5a, 0x68], "bzip2 -dc"],
];

/** The log of one program: a file and its rotated predecessors. */
export interface Log {
  /** In the order of writing. */
  readonly sources: readonly Source[];
  /** Time of its first record, in milliseconds since the epoch. */
  readonly time: number;
}

/** A source with the time of its first record. */
interface Dated {
  readonly source: Source;
  /** NaN if it is empty. */
  readonly time: number;
}

/**
 * Groups the files `names` into logs, in the order of their first records.
 *
 * @throws {CliError} if one is not a log or can't be read.
 */
export async function openLogs(names: readonly string[]): Promise<Log[]> {
  const dated: Dated[] = [];
  for (const name of new Set(names)) dated.push(await open(name));
  if (dated.every(({ time }) => Number.isNaN(time))) {
    const why = "nothing has been written to it yet; add a rotated one, or wait with --follow";
    throw unreadable(names.join('", "'), why);
  }
  const logs = new Map<string, { sources: Source[]; time: number }>();
  for (const { source, time } of dated.toSorted(inOrder)) {
    const log = logs.get(logName(source.name));
    if (log === undefined) logs.set(logName(source.name), { sources: [source], time: orderOf({ source, time }) });
    else log.sources.push(source);
  }
  return [...logs.values()];
}

function inOrder(a: Dated, b: Dated): number {
  // If both times are ambiguous because clocks were set back, the rotation number decides.
  const isTold = twinOf(a.time) === null || twinOf(b.time) === null ||
    logName(a.source.name) !== logName(b.source.name);
  return isTold
    ? orderOf(a) - orderOf(b)
    : rotations(b.source.name) - rotations(a.source.name) || orderOf(a) - orderOf(b);
}

/** The rotation number of a file: 2 for `x.log.2.gz`. */
function rotations(file: string): number {
  return Number(/[.-](\d{1,3})(?:\.gz)?$/.exec(file)?.[1] ?? 0);
}

/** Empty sources come first: they have no time. */
function orderOf({ time }: Dated): number {
  return Number.isNaN(time) ? -Number.MAX_VALUE : time;
}

/** `x.log` for `x.log`, `x.log.1`, `x.log.2.gz`, `x.log-20211011` and `x.log.2021-10-11`. */
function logName(file: string): string {
  return file.replace(/\.gz$/, "").replace(/(?:[.-]\d{1,3}|[.-]\d{4}-?\d\d-?\d\d(?:[-T_]?\d{1,6})?)$/, "");
}

async function open(name: string): Promise<Dated> {
  if (name === "-") return await openStream(name, process.stdin);
  try {
    const found = statSync(name);
    if (found.isDirectory()) {
      throw unreadable(name, `it is a directory; name the log files in it, such as ${name}/*.log`);
    }
    // What is read from a pipe must be kept.
    if (!found.isFile()) return await openStream(name, createReadStream(name));
    const head = headOf(name);
    return { source: fileSource(name, found.size, head), time: firstTime(name, await unpackedHead(name, head)) };
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(name, reasonOf(error), error);
  }
}

function headOf(name: string): Uint8Array {
  const file = openSync(name, "r");
  try {
    const head = new Uint8Array(HEAD_BYTES);
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

function reasonOf(error: unknown): string {
  const code = failureCode(error);
  if (code === "ENOENT") return "it does not exist; see log.file in brokkr.json for where a broker writes";
  if (code === "EACCES" || code === "EPERM") return "you may not read it; ask its owner, or read it as another user";
  return messageOf(error);
}

function unreadable(name: string, why: string, cause?: unknown): CliError {
  return new CliError(`Cannot read log "${name}": ${why}`, { cause });
}

async function unpackedHead(name: string, head: Uint8Array): Promise<Uint8Array> {
  const starts = (magic: readonly number[]) => magic.every((byte, index) => head[index] === byte);
  const other = OTHER_PACKERS.find(([magic]) => starts(magic));
  if (other !== undefined) {
    throw unreadable(name, `it is compressed in a way other than gzip; run ${other[1]} ${name} | brokkr logs -`);
  }
  if (!isGzip(head)) return head;
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of gunzip(Readable.from([head]))) {
      parts.push(part);
      length += part.length;
      if (length >= HEAD_BYTES) break;
    }
  } catch (error) {
    // The head may end anywhere within the data.
    if (length === 0) throw unreadable(name, `it is damaged: ${messageOf(error)}`, error);
  }
  return joinBytes(parts);
}

async function openStream(name: string, stream: AsyncIterable<Uint8Array>): Promise<Dated> {
  const chunks = unpacked(stream);
  const first: Uint8Array[] = [];
  let head: Uint8Array = new Uint8Array();
  let time = NaN;
  while (head.length < HEAD_BYTES && Number.isNaN(time)) {
    const next = await chunks.next();
    if (next.done) break;
    // A copy, since the chunk's memory is used again.
    first.push(next.value.slice());
    head = joinBytes(first);
    time = timeIn(head);
  }
  return { source: streamSource(name, first, chunks), time: firstTime(name, head) };
}

/** Time of the first record; NaN if empty. @throws {CliError} if it is not a log. */
function firstTime(name: string, head: Uint8Array): number {
  if (head.length === 0) return NaN;
  const time = timeIn(head);
  if (!Number.isNaN(time)) return time;
  const kind = head.includes(0)
    ? "it is binary"
    : "no line of its beginning has a time stamp such as [2021-10-11 06:10:52]";
  throw unreadable(name, `it is not a log: ${kind}`);
}

function timeIn(head: Uint8Array): number {
  const prefixes = new PrefixReader();
  for (const line of new TextDecoder().decode(head).split("\n")) {
    if (splitRecords(line).some((record) => prefixes.readStamp(record))) return prefixes.time;
  }
  return NaN;
}

/** Larger chunks leave the processor's cache and are slower. */
const CHUNK_BYTES = 65_536;

/** A file or standard input as chunks of bytes. A chunk is valid until the next one is requested. */
export interface Source {
  /** As given by the user. */
  readonly name: string;
  /** Size on disk, compressed or not; null if unknown. */
  readonly bytes: number | null;
  /** @param read is called with the number of bytes read, out of {@link bytes}. */
  chunks(read: (bytes: number) => void): AsyncIterable<Uint8Array>;
}

function fileSource(name: string, bytes: number, head: Uint8Array): Source {
  return { name, bytes, chunks: (read) => isGzip(head) ? gunzipped(name, read) : plain(name, read) };
}

/** A stream whose first chunks were already read. */
function streamSource(name: string, first: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): Source {
  return {
    name,
    bytes: null,
    async *chunks(read) {
      yield* counted(first, read);
      yield* counted(rest, read);
    },
  };
}

/** The content of `stream`, decompressed if it is gzip. */
async function* unpacked(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = stream[Symbol.asyncIterator]();
  const first = await input.next();
  if (first.done) return;
  const all = async function* () {
    yield first.value;
    for (let next = await input.next(); !next.done; next = await input.next()) yield next.value;
  };
  if (isGzip(first.value)) yield* gunzip(all());
  else yield* all();
}

/** Synchronous: awaiting each chunk costs more than reading it. */
async function* plain(name: string, read: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const file = openSync(name, "r");
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const got = readSync(file, buffer);
      if (got === 0) return;
      read(got);
      yield buffer.subarray(0, got);
    }
  } finally {
    closeSync(file);
  }
}

async function* gunzipped(name: string, read: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const compressed = createReadStream(name, { highWaterMark: CHUNK_BYTES });
  try {
    yield* gunzip(counted(compressed, read));
  } finally {
    compressed.destroy();
  }
}

async function* counted(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  read: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    read(chunk.length);
    yield chunk;
  }
}
