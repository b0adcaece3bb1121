/** `brokkr logs --lines` and `--unread`: the lines themselves, or records. */

import process from "node:process";
import { escapeControls } from "../../core/log/escape.ts";
import type { LinePlace, LogItem } from "../../core/log/parse.ts";
import { hasColors, print } from "../output.ts";
import { paintLine } from "../terminal.ts";
import type { ArgsOf } from "../commands.ts";
import { makeFilter } from "../log_filter.ts";
import { openLogs } from "./open_logs.ts";
import { inOrder, type SourceFigures, tellBroken } from "./read_log.ts";

const PRINTED_AT_ONCE = 65_536;

export async function printLines(args: ArgsOf<"logs">): Promise<number> {
  const { files, lines, count: last } = args;
  const toText = lineText(args, { events: lines || last !== undefined });
  const figures: SourceFigures[] = [];
  const events = { read: () => {}, ended: (one: SourceFigures) => figures.push(one) };
  const waiting: string[] = [];
  let length = 0;
  for await (const items of inOrder(await openLogs(files), events)) {
    for (const text of items.map(toText)) {
      if (text === "") continue;
      length += text.length;
      waiting.push(text);
    }
    if (last !== undefined) {
      // Seldom, since it moves all that stay.
      if (waiting.length > 2 * last + PRINTED_AT_ONCE) waiting.splice(0, waiting.length - last);
    } else if (length >= PRINTED_AT_ONCE) {
      if (!await print(waiting.splice(0).join(""))) return tellBroken(figures);
      length = 0;
    }
  }
  await print(waiting.slice(last === undefined ? 0 : -last).join(""));
  return tellBroken(figures);
}

interface LineOptions {
  /** Whether events are printed. */
  readonly events: boolean;
  /** Whether lines that belong to no event are printed; without events, with their file and line number. */
  readonly unread?: boolean;
}

/** The printed text of an item: its lines, or nothing. On a terminal, control characters are escaped. */
export function lineText(
  args: ArgsOf<"logs">,
  { events, unread = args.unread }: LineOptions,
): (item: LogItem) => string {
  const { json } = args;
  const filter = makeFilter(args);
  const colors = hasColors("stdout");
  const shown = process.stdout.isTTY === true ? escapeControls : (line: string) => line;
  return (item) => {
    if (item.kind === "unread") {
      if (!unread) return "";
      if (json) return `${JSON.stringify({ unread: item.raw, file: item.file, line: item.line })}\n`;
      const line = shown(item.raw);
      return events ? `${line}\n` : `${placed(line, item)}\n`;
    }
    if (!events || filter?.(item) === false) return "";
    if (!json) return item.raw.map((line) => `${paintLine(shown(line), item.level, colors)}\n`).join("");
    const { timeText, level, event, broker, module, pid, thread, wording, fields } = item;
    return `${JSON.stringify({ time: timeText, level, event, broker, module, pid, thread, wording, fields })}\n`;
  };
}

/** `text` with its position, like `grep -n`: `broker.log:12: text`. */
export function placed(text: string, { file, line }: LinePlace): string {
  if (file === null) return text;
  return line === null ? `${file}: ${text}` : `${file}:${line}: ${text}`;
}
