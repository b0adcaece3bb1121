/**
 * `brokkr logs`: summarizes, filters and follows log files.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { commandLine as shown, lineBreak, message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { LEVELS } from "../core/log/level.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { logTime, makeFilter } from "./logs/filter.ts";
import { type ArgsOf, brokerOption, eventId } from "./options.ts";

export const logsParser = command(
  "logs",
  object({
    action: constant("logs"),
    files: multiple(argument(string({ metavar: "FILE" }), {
      description:
        message`Log files in any order, including rotated and gzip files; ${"-"} for standard input. Without a file: the last lines of the running broker.`,
    })),
    modules: multiple(option("--module", string({ metavar: "NAME" }), {
      description: message`Only events of this module or worker. This option and the next two may be repeated.`,
    })),
    commands: multiple(option("--command", string({ metavar: "NAME" }), {
      description: message`Only events of this command.`,
    })),
    events: multiple(option("--event", eventId(), {
      description: message`Only these events, such as call.timeout.`,
    })),
    level: optional(option("--level", choice(LEVELS), {
      description: message`Only events of this level or above: debug, info, warning, error or fatal.`,
    })),
    since: optional(option("--since", logTime(), {
      description:
        message`Only events since this time: 2021-10-11T06:10, "2021-10-11 06:10:52", or how long ago: 30m, 2h, 1d.`,
    })),
    until: optional(option("--until", logTime(), {
      description: message`Only events until this time, including all of its minute or day.`,
    })),
    lines: option("--lines", { description: message`Print the lines themselves instead of a summary.` }),
    unread: option("--unread", { description: message`Print the lines that belong to no event.` }),
    follow: option("--follow", "-f", {
      description:
        message`Print lines as they are written, until Ctrl-C; rotation is followed. The last ten lines come first, or with --since all lines since then. Without a file: the lines of the running broker.`,
    }),
    html: optional(option("--html", string({ metavar: "OUT" }), {
      description: message`Also write a report with plots: a single file that needs no network.`,
    })),
    json: option("--json", { description: message`Print one JSON document; for lines, one per line.` }),
    broker: brokerOption(),
  }),
  {
    brief: message`Summarize, filter or follow log files`,
    footer: message`Examples: ${
      shown("brokkr logs broker.log broker.log.1 broker.log.2.gz --since 12h")
    }${lineBreak()}${shown("brokkr logs broker.log --lines --level error --module sla")}${lineBreak()}${
      shown("brokkr logs -f --level warning")
    }`,
  },
);

export async function logs(runtime: Runtime, args: ArgsOf<typeof logsParser>): Promise<number> {
  const { files, since, until, lines, unread, json, html } = args;
  if (html !== undefined && (lines || unread || args.follow)) {
    throw new CliError(
      "Cannot write a report of lines: --html goes with a summary; leave out --lines, --unread and --follow",
      ExitCode.usage,
    );
  }
  const filter = makeFilter({ ...args, since: since?.from, until: until?.to });
  if (files.length === 0) {
    const { followBroker } = await import("./logs/follow.ts");
    return await followBroker(runtime, args, { filter, events: true, unread: false, json });
  }
  if (args.follow) {
    const { follow } = await import("./logs/follow.ts");
    return await follow({ files, filter, events: lines || !unread, unread, json, fromStart: since !== undefined });
  }
  if (lines || unread) {
    const { printLines } = await import("./logs/print_lines.ts");
    return await printLines({ files, filter, events: lines, unread, json });
  }
  const { summarize } = await import("./logs/summarize.ts");
  return await summarize({ files, filter, json, html });
}
