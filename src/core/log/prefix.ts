/** What stands in front of the text of a line, its level and its tag among it: written, and read again. */

import { escapeName } from "./escape.ts";

/** How serious a record is, in rising order. */
export type LogLevel = "debug" | "info" | "warning" | "error" | "fatal";

export const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error", "fatal"];

/** Whether `level` is at least as serious as `least`. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/** The level of that name, where it is one. */
export function levelFrom(name: unknown): LogLevel | undefined {
  return LEVELS.find((level) => level === name);
}

/** The tags of all lines. */
export const LINE_TAGS = [
  "CLEAN AFTER FORK",
  "COMMAND CALL",
  "CLEANUP RECEIPT",
  "ANSWER",
  "HEARTBEAT",
  "PROCESS",
  "LOG",
  "BROKER",
  "CLUSTER",
] as const;

export type LineTag = typeof LINE_TAGS[number];

/** What the names and layout of the lines depend on. */
export interface LineStyle {
  /** Name of the broker. */
  readonly broker: string;
  /** Name of the product in the cleanup lines. @default "Shinken" */
  readonly product: string;
  /** Pads levels and names into columns. @default false */
  readonly aligned: boolean;
}

/** What a prefix is written from, beside tag and level. */
export interface PrefixFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly module: string;
  /** Where null, the line has no such bracket. */
  readonly pid: number | null;
  /** Where null, the line has no such bracket. */
  readonly thread: string | null;
}

/** The prefix with the space behind it. */
export function formatPrefix(facts: PrefixFacts, tag: LineTag, level: LogLevel, style: LineStyle): string {
  const levelText = level.toUpperCase();
  const head = `[${formatStamp(facts.time)}] ${style.aligned ? levelText.padEnd(7) : `${levelText} `}: `;
  const module = nameBracket(facts.module, style);
  if (tag === "CLEAN AFTER FORK") {
    return `${head}${module} [ ${tag} ] ${facts.pid === null ? "" : `[ pid:${facts.pid} ] `}`;
  }
  const pid = facts.pid === null ? "" : `[ PID:${facts.pid} ] `;
  const thread = facts.thread === null ? "" : `[ ${escapeName(facts.thread)} ] `;
  return `${head}${nameBracket(style.broker, style)} ${module} [ ${tag} ] ${pid}${thread}`;
}

/** A name in brackets, in a column of its own where the style is aligned. */
export function nameBracket(value: string, style: LineStyle): string {
  return `[ ${style.aligned ? escapeName(value).padEnd(15) : escapeName(value)} ]`;
}

/** A prefix that was read. */
export interface LinePrefix {
  readonly level: LogLevel;
  /** Null where the line names only a module. */
  readonly broker: string | null;
  readonly module: string;
  /** Null in the old wording. */
  readonly tag: LineTag | null;
  readonly pid: number | null;
  readonly thread: string | null;
  /** The module whose data could not be cleaned. */
  readonly owner: string | null;
}

const LEVELS_BY_TEXT = new Map<string, LogLevel>(LEVELS.map((level) => [level.toUpperCase(), level]));
const TAGS = new Map<string, LineTag>(LINE_TAGS.map((tag) => [tag, tag]));

const STAMP = /^\s*\[{1,2}(\d{4})-(\d\d)-(\d\d)\s+(\d\d):(\d\d):(\d\d)\s*\]/;
const LEVEL = /\s*([A-Z]+)\s*:\s*/y;
const PID = /^pid\s*:\s*(\d{1,15})$/i;
const OPEN = 0x5b;
const MAX_KNOWN = 1000;
/** A longer prefix is not kept: no brokkr writes one, and a thousand of them may be any size. */
const MAX_KNOWN_LENGTH = 1000;
/** Lines of several processes may stand in another order than that of their times. */
const DISORDER_MS = 5_000;

interface KnownPrefix extends LinePrefix {
  /** No further bracket can be part of it. */
  readonly isClosed: boolean;
}

/**
 * Reads the time stamp and the brackets of lines. Lines of one second repeat the one and lines of one process the other,
 * so both are remembered: most lines of a log cost a comparison and a look-up.
 */
export class PrefixReader {
  timeText = "";
  time = NaN;
  /** Where the text begins: behind the last bracket and one space. */
  textAt = 0;
  #stamp = "\0";
  /** By their text, from behind the time stamp to the text of the line. */
  readonly #known = new Map<string, KnownPrefix>();

  /** Whether `line` begins with a time stamp; then {@link timeText} and {@link time} are the line's. */
  readStamp(line: string): boolean {
    if (line.startsWith(this.#stamp)) return true;
    const match = STAMP.exec(line);
    if (match === null) return false;
    const [stamp, year = "", month = "", day = "", hour = "", minute = "", second = ""] = match;
    this.#stamp = stamp;
    this.timeText = `${year}-${month}-${day} ${hour}:${minute}:${second}`;
    const time = new Date(+year, +month - 1, +day, +hour, +minute, +second).getTime();
    const twin = twinOf(time);
    // Of two times with one stamp it is the first that is not before the line above.
    if (twin === null) this.time = time;
    else this.time = Math.min(time, twin) < this.time - DISORDER_MS ? Math.max(time, twin) : Math.min(time, twin);
    return true;
  }

  /** The prefix behind the stamp that was just read, or null where it is not one of an event's. */
  readPrefix(line: string): LinePrefix | null {
    const start = this.#stamp.length;
    const end = likelyEnd(line, start);
    const known = this.#known.get(line.slice(start, end));
    if (known !== undefined && (known.isClosed || line.charCodeAt(end) !== OPEN)) {
      this.textAt = end;
      return known;
    }
    const read = this.#parse(line, start);
    if (read === null) return null;
    // It is kept, so it must not keep the text that the line was cut out of.
    const textAt = this.textAt;
    if (textAt - start > MAX_KNOWN_LENGTH) return read;
    const own = ownText(line.slice(start, textAt));
    const kept = this.#parse(own, 0) ?? read;
    this.textAt = textAt;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(own, kept);
    return kept;
  }

  #parse(line: string, start: number): KnownPrefix | null {
    this.textAt = start;
    LEVEL.lastIndex = start;
    const level = LEVELS_BY_TEXT.get(LEVEL.exec(line)?.[1] ?? "");
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
      const tagWord = TAGS.get(word) ?? TAGS.get(word.replace(/\s+/g, " "));
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
    return { level, broker, module, tag, pid, thread, owner, isClosed };
  }
}

/**
 * A copy of `text` with memory of its own. What is cut out of a long text keeps all of it in memory, so whatever is kept
 * while other lines are read must be a copy.
 */
export function ownText(text: string): string {
  // Joined texts are copied when they are cut; there is no other way to ask for it.
  return ` ${text}`.slice(1);
}

/** Behind the bracket that follows the pid, or behind the second one: where the prefix ends in most lines. */
function likelyEnd(line: string, start: number): number {
  const pid = line.indexOf("ID:", start);
  const first = line.indexOf("]", pid === -1 ? start : pid);
  const second = line.charCodeAt(first + 2) === OPEN ? line.indexOf("]", first + 2) : first;
  return second + 2;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0xa0;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than any clock is set back by, and one hour. */
const NEAR_MS = 4 * HOUR_MS;

let cachedSecond = NaN;
let cachedStamp = "";

/** `time` (milliseconds since the epoch) as local `YYYY-MM-DD HH:MM:SS`. */
export function formatStamp(time: number): string {
  // Lines come by the thousand within a second, and reading a Date costs more than all the rest of a line.
  const second = Math.floor(time / 1000);
  if (second !== cachedSecond) {
    const date = new Date(second * 1000);
    cachedStamp = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)} ` +
      `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
    cachedSecond = second;
  }
  return cachedStamp;
}

/** An hour about which the clock is not set back: most stamps that follow each other are of one hour. */
let calmHour = NaN;

/** The other time that has the stamp of `time` too, since the clock was set back between the two; mostly null. */
export function twinOf(time: number): number | null {
  const hour = Math.floor(time / HOUR_MS);
  if (hour === calmHour) return null;
  const [before, after] = [offsetAt(hour * HOUR_MS - NEAR_MS), offsetAt(hour * HOUR_MS + NEAR_MS)];
  if (!(after > before)) {
    calmHour = hour;
    return null;
  }
  const shift = (after - before) * MINUTE_MS;
  const [isFirst, isSecond] = [offsetAt(time + shift) === after, offsetAt(time - shift) === before];
  if (offsetAt(time) === before) return isFirst ? time + shift : null;
  return isSecond ? time - shift : null;
}

/** Minutes from local time to UTC. */
function offsetAt(time: number): number {
  return new Date(time).getTimezoneOffset();
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
