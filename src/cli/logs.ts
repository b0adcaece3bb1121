/**
 * `brokkr logs`: what log files come to, for people and for programs.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { commandLine as shown, lineBreak, message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { LEVELS } from "../core/log/level.ts";
import type { EventId, LogLevel } from "../core/log/record.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { type LogTime, logTime, makeFilter } from "./logs/filter.ts";
import { brokerOption, eventId } from "./options.ts";

export const logsParser = command(
  "logs",
  object({
    action: constant("logs"),
    files: multiple(argument(string({ metavar: "FILE" }), {
      description:
        message`Log files in any order, rotated and gzip ones too; ${"-"} for standard input. Without a file: what the running broker logged last.`,
    })),
    modules: multiple(option("--module", string({ metavar: "NAME" }), {
      description: message`Only what is about this module or worker. This and the next two may be given several times.`,
    })),
    commands: multiple(option("--command", string({ metavar: "NAME" }), {
      description: message`Only what is about this command.`,
    })),
    events: multiple(option("--event", eventId(), {
      description: message`Only these events, such as call.timeout.`,
    })),
    level: optional(option("--level", choice(LEVELS), {
      description: message`Only events that are at least as serious: debug, info, warning, error or fatal.`,
    })),
    since: optional(option("--since", logTime(), {
      description:
        message`Only from this time on: 2021-10-11T06:10, "2021-10-11 06:10:52", or so long ago: 30m, 2h, 1d.`,
    })),
    until: optional(option("--until", logTime(), {
      description: message`Only up to this time, all of its minute or day included.`,
    })),
    lines: option("--lines", { description: message`Print the lines themselves in place of a summary.` }),
    unread: option("--unread", { description: message`Print the lines that are no event's.` }),
    follow: option("--follow", "-f", {
      description:
        message`Print lines as they are written, also when the file is rotated, until Ctrl-C. The last ten lines come first, with --since all since then. Without a file: the lines of the running broker.`,
    }),
    html: optional(option("--html", string({ metavar: "OUT" }), {
      description: message`Write a report with plots, too: one file, which needs no network.`,
    })),
    json: option("--json", { description: message`Print one JSON document; of lines, one a line.` }),
    broker: brokerOption(),
  }),
  {
    brief: message`Say what happened, from log files`,
    footer: message`Examples: ${
      shown("brokkr logs broker.log broker.log.1 broker.log.2.gz --since 12h")
    }${lineBreak()}${shown("brokkr logs broker.log --lines --level error --module sla")}${lineBreak()}${
      shown("brokkr logs -f --level warning")
    }`,
  },
);

export interface LogsAsked {
  readonly files: readonly string[];
  readonly modules: readonly string[];
  readonly commands: readonly string[];
  readonly events: readonly EventId[];
  readonly level: LogLevel | undefined;
  readonly since: LogTime | undefined;
  readonly until: LogTime | undefined;
  readonly lines: boolean;
  readonly unread: boolean;
  readonly follow: boolean;
  readonly html: string | undefined;
  readonly json: boolean;
  readonly broker: string | undefined;
}

export async function logs(runtime: Runtime, asked: LogsAsked): Promise<number> {
  const { files, since, until, lines, unread, json, html } = asked;
  if (html !== undefined && (lines || unread || asked.follow)) {
    throw new CliError(
      "Cannot write a report of lines: --html goes with a summary; leave out --lines, --unread and --follow",
      ExitCode.usage,
    );
  }
  const filter = makeFilter({ ...asked, since: since?.from, until: until?.to });
  if (files.length === 0) {
    const { followBroker } = await import("./logs/follow.ts");
    return await followBroker(runtime, asked, { filter, events: true, unread: false, json });
  }
  if (asked.follow) {
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
