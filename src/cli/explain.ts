/** `brokkr explain`: what a log line means and what to do. */

import process from "node:process";
import { text } from "node:stream/consumers";
import { EVENT_IDS, isEventId } from "../core/log/events.ts";
import { closestMatch } from "../core/checks.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError } from "./exit_codes.ts";
import { describeExplained, type Explained, explainedOf } from "./explain/explained.ts";
import { readEvents } from "./explain/read_lines.ts";
import type { ArgsOf } from "./commands.ts";
import { hasColors, print } from "./output.ts";

export async function explainLine(_: Runtime, { words, json }: ArgsOf<"explain">): Promise<void> {
  const { explained, unread } = await read(words.join(" "));
  if (json) {
    await print(`${JSON.stringify({ explained, unread })}\n`);
  } else {
    const width = Math.min(process.stdout.columns || 80, 100);
    const style = { width, colors: hasColors("stdout") };
    await print(explained.map((one) => `${describeExplained(one, style)}\n`).join("\n"));
    if (unread.length > 0) process.stderr.write(`${unread.length} of the lines are no event's; --json shows them\n`);
  }
}

interface Read {
  /** Each event once, in the order of their first lines. */
  readonly explained: readonly Explained[];
  readonly unread: readonly string[];
}

async function read(asked: string): Promise<Read> {
  if (isEventId(asked)) return { explained: [explainedOf(asked, [])], unread: [] };
  const input = asked === "-" ? await text(process.stdin) : asked;
  const found = readEvents(input);
  const events = new Set(found.flatMap(({ read }) => read === null ? [] : [read.event]));
  const explained = [...events].map((event) =>
    explainedOf(event, found.flatMap(({ read }) => read?.event === event ? [read] : []))
  );
  const unread = found.flatMap(({ raw, read }) => read === null ? [raw] : []);
  if (explained.length > 0) return { explained, unread };
  throw new CliError(notFound(asked === "-" ? null : asked));
}

function notFound(asked: string | null): string {
  if (asked === null) {
    return "Cannot explain standard input: it has no line of an event; see the lines in docs/log-lines.md";
  }
  const near = /\s/.test(asked)
    ? null
    : closestMatch(asked, EVENT_IDS) ?? EVENT_IDS.find((id) => id.endsWith(`.${asked}`));
  const remedy = near ? `did you mean "${near}"?` : `the events are ${EVENT_IDS.join(", ")}`;
  return `Cannot explain "${asked}": it is neither an event nor a line of one; ${remedy}`;
}
