/** `brokkr logs`: summarizes, filters and follows log files. */

import type { Runtime } from "../runtime/runtime.ts";
import { CliError } from "./exit_codes.ts";
import { makeFilter } from "./logs/filter.ts";
import type { ArgsOf } from "./commands.ts";

export async function logs(runtime: Runtime, args: ArgsOf<"logs">): Promise<number> {
  const { files, since, until, unread, json, html, count } = args;
  const lines = args.lines || count !== undefined;
  if (html !== undefined && (lines || unread || args.follow)) {
    throw new CliError(
      "Cannot write a report of lines: --html goes with a summary; leave out --lines, --unread, --last and --follow",
    );
  }
  const filter = makeFilter({ ...args, since: since?.from, until: until?.to });
  if (files.length === 0) {
    const { followBroker } = await import("./logs/follow.ts");
    return await followBroker(runtime, args, { filter, events: true, unread: false, json });
  }
  if (args.follow) {
    const { follow } = await import("./logs/follow.ts");
    return await follow({
      files,
      filter,
      events: lines || !unread,
      unread,
      json,
      fromStart: since !== undefined,
      last: count,
    });
  }
  if (lines || unread) {
    const { printLines } = await import("./logs/print_lines.ts");
    return await printLines({ files, filter, events: lines, unread, json, last: count });
  }
  const { summarize } = await import("./logs/summarize.ts");
  return await summarize({ files, filter, json, html });
}
