import type { LineTag } from "./lines.ts";
import type { LinePrefix } from "./parsed.ts";
import type { LogLevel } from "./record.ts";

const LEVELS: ReadonlyMap<string, LogLevel> = new Map<string, LogLevel>([
  ["DEBUG", "debug"],
  ["INFO", "info"],
  ["WARNING", "warning"],
  ["ERROR", "error"],
  ["FATAL", "fatal"],
]);

const TAGS: ReadonlyMap<string, LineTag> = new Map<string, LineTag>(
  (["CLEAN AFTER FORK", "COMMAND CALL", "CLEANUP RECEIPT", "ANSWER", "PROCESS", "LOG", "BROKER"] as const)
    .map((tag) => [tag, tag]),
);

const STAMP = /^\s*\[{1,2}(\d{4})-(\d\d)-(\d\d)\s+(\d\d):(\d\d):(\d\d)\s*\]/;
const LEVEL = /\s*([A-Z]+)\s*:\s*/y;
const PID = /^pid\s*:\s*(\d{1,15})$/i;
const OPEN = 0x5b;
const CACHED = 16;

interface CachedPrefix extends LinePrefix {
  /** From behind the time stamp to the text. */
  readonly source: string;
  /** No further bracket can be part of it. */
  readonly isClosed: boolean;
}

/**
 * Reads the time stamp and the brackets of lines. Lines of one process repeat both, so the last ones are remembered, and a
 * line that begins with known characters costs a comparison.
 */
export class PrefixReader {
  timeText = "";
  time = NaN;
  /** Where the text begins: behind the last bracket and one space. */
  textAt = 0;
  #stamp = "\0";
  readonly #cached: CachedPrefix[] = [];
  #next = 0;

  /** Whether `line` begins with a time stamp; then {@link timeText} and {@link time} are the line's. */
  readStamp(line: string): boolean {
    if (line.startsWith(this.#stamp)) return true;
    const match = STAMP.exec(line);
    if (match === null) return false;
    const [stamp, year = "", month = "", day = "", hour = "", minute = "", second = ""] = match;
    this.#stamp = stamp;
    this.timeText = `${year}-${month}-${day} ${hour}:${minute}:${second}`;
    this.time = new Date(+year, +month - 1, +day, +hour, +minute, +second).getTime();
    return true;
  }

  /** The prefix behind the stamp that was just read, or null where it is not one of an event's. */
  readPrefix(line: string): LinePrefix | null {
    const start = this.#stamp.length;
    for (const cached of this.#cached) {
      if (!line.startsWith(cached.source, start)) continue;
      const textAt = start + cached.source.length;
      if (!cached.isClosed && line.charCodeAt(textAt) === OPEN) continue;
      this.textAt = textAt;
      return cached;
    }
    const read = this.#parse(line, start);
    if (read !== null) {
      this.#cached[this.#next] = read;
      this.#next = (this.#next + 1) % CACHED;
    }
    return read;
  }

  #parse(line: string, start: number): CachedPrefix | null {
    this.textAt = start;
    LEVEL.lastIndex = start;
    const level = LEVELS.get(LEVEL.exec(line)?.[1] ?? "");
    if (level === undefined) return null;
    let at = LEVEL.lastIndex;
    const names: string[] = [];
    let tag: LineTag | null = null;
    let pid: number | null = null;
    let last: string | null = null;
    while (last === null && line.charCodeAt(at) === OPEN) {
      const close = line.indexOf("]", at);
      if (close === -1) break;
      const word = line.slice(at + 1, close).trim();
      const pidText = PID.exec(word)?.[1];
      const tagWord = TAGS.get(word);
      if (pidText !== undefined && pid === null) pid = Number(pidText);
      else if (pid !== null && tag === null) break; // The old wording has nothing behind the pid.
      else if (pid !== null || tag !== null) last = word;
      else if (tagWord !== undefined && names.length > 0) tag = tagWord;
      else names.push(word);
      this.textAt = close + 1;
      at = skipSpace(line, close + 1);
    }
    const module = names.at(-1);
    if (module === undefined) return null;
    if (isSpace(line.charCodeAt(this.textAt))) this.textAt++;
    const broker = names.length > 1 ? names[0] ?? null : null;
    const isCleanup = tag === "CLEAN AFTER FORK";
    const [thread, owner] = isCleanup ? [null, last] : [last, null];
    const isClosed = last !== null || (tag === null && pid !== null);
    return { level, broker, module, tag, pid, thread, owner, source: line.slice(start, this.textAt), isClosed };
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0xa0;
}
