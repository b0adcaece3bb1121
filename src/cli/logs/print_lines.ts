/**
 * The lines of logs, as they are or as records.
 *
 * @module
 */

import type { LogItem } from "../../core/log/parsed.ts";
import { hasColors, print } from "../output.ts";
import { paintLine } from "../paint.ts";
import type { Filter } from "./filter.ts";
import { openSources } from "./open_sources.ts";
import { readSources } from "./read_sources.ts";
import { tellBroken } from "./summarize.ts";

export interface LineOptions {
  readonly filter: Filter | null;
  /** Whether events are printed. */
  readonly events: boolean;
  /** Whether lines that are no event's are printed. */
  readonly unread: boolean;
  readonly json: boolean;
}

export async function printLines(options: LineOptions & { readonly files: readonly string[] }): Promise<number> {
  const toText = lineText(options);
  let waiting = "";
  const figures = await readSources(await openSources(options.files), {
    item: (item) => waiting += toText(item),
    pause: async () => {
      const text = waiting;
      waiting = "";
      return await print(text);
    },
  });
  return tellBroken(figures);
}

/** What is printed of an item: its lines with their line ends, or nothing. */
export function lineText({ filter, events, unread, json }: LineOptions): (item: LogItem) => string {
  const colors = hasColors("stdout");
  return (item) => {
    if (item.kind === "unread") {
      if (!unread) return "";
      return json ? `${JSON.stringify({ unread: item.raw })}\n` : `${item.raw}\n`;
    }
    if (!events || filter?.(item) === false) return "";
    if (!json) return item.raw.map((line) => `${paintLine(line, item.level, colors)}\n`).join("");
    const { timeText, level, event, broker, module, pid, thread, wording, fields } = item;
    return `${JSON.stringify({ time: timeText, level, event, broker, module, pid, thread, wording, fields })}\n`;
  };
}
