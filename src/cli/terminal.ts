/** Text on a terminal: the colors of log lines and states, and columns. */

import type { LogLevel, ProcessState } from "../../mod.ts";
import type { MemberState } from "../core/cluster/members.ts";
import { cut } from "./figures.ts";

/** Numbers of SGR (ECMA-48). */
const STYLES = { none: "", bold: "1", dim: "2", red: "31", boldRed: "1;31", green: "32", yellow: "33", cyan: "36" };

type Style = keyof typeof STYLES;

const LEVELS: Readonly<Record<LogLevel, Style>> = {
  debug: "dim",
  info: "none",
  warning: "yellow",
  error: "red",
  fatal: "boldRed",
};

const STATES: Readonly<Record<ProcessState | MemberState, Style>> = {
  ready: "green",
  starting: "cyan",
  cleaning: "cyan",
  draining: "yellow",
  stopped: "yellow",
  backoff: "yellow",
  suspect: "yellow",
  leaving: "yellow",
  failed: "red",
  gone: "red",
  incompatible: "red",
};

/** A log line, or a part of it, in the color of its level. */
export function paintLine(line: string, level: LogLevel, colors: boolean): string {
  return paint(line, LEVELS[level], colors);
}

/** `text` in the color of a process' state, or of a member's of a cluster. */
export function paintState(text: string, state: ProcessState | MemberState, colors: boolean): string {
  return paint(text, STATES[state], colors);
}

export function bold(text: string, colors: boolean): string {
  return paint(text, "bold", colors);
}

export function paint(text: string, style: Style, colors: boolean): string {
  return colors && style !== "none" ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text;
}

/** A log line without the date, the level and the brackets of its prefix. */
export function operatorText(line: string): string {
  return line.replace(/^\[[^\]]*\] [A-Z]+ *: (?:\[ ?[^\]]* ?\] )*/, "");
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** One column each. */
const PLAIN = /^[\x20-\x7e\u2500-\u259f–—…≤↑↓µ×]*$/;

/** How many columns `text` takes: most characters one, those of East Asia and emoji two, combining marks none. It has no control characters. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += width(character);
  return columns;
}

/** `text` in exactly `columns` columns: padded, or cut with an ellipsis. */
export function fit(text: string, columns: number): string {
  const own = columnsOf(text);
  if (own <= columns) return text + " ".repeat(columns - own);
  if (columns <= 0) return "";
  let cut = "";
  let used = 0;
  for (const character of text) {
    used += width(character);
    if (used >= columns) break;
    cut += character;
  }
  return `${cut}…`.padEnd(cut.length + 1 + Math.max(0, columns - 1 - columnsOf(cut)));
}

function width(character: string): number {
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Wraps `text` between words to lines of at most `width` characters; a longer word gets a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export interface TableOptions {
  readonly colors: boolean;
  /** Columns of the terminal. @default as many as the table needs */
  readonly width?: number | undefined;
}

/** The lines of a table, headings first. A column whose heading begins with a space is right-aligned. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { colors, width = Infinity }: TableOptions,
): string[] {
  const widths = headings.map((heading, column) =>
    Math.max(heading.trim().length, ...rows.map((row) => (row[column] ?? "").length))
  );
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return headings[column]?.startsWith(" ") ? cell.trim().padStart(width) : cell.padEnd(width);
    });
    return cut(padded.join("  ").trimEnd(), width);
  };
  return [bold(line(headings.map((heading) => heading.trim())), colors), ...rows.map(line)];
}
