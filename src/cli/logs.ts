/** `brokkr logs`: summarizes, filters and follows log files. */

import type { Runtime } from "../runtime/runtime.ts";
import { CliError } from "./exit_codes.ts";
import type { ArgsOf } from "./commands.ts";

export async function logs(runtime: Runtime, args: ArgsOf<"logs">): Promise<number> {
  const { files, follow } = args;
  const showsLines = args.lines || args.unread || args.count !== undefined;
  if (args.html !== undefined && (showsLines || follow)) {
    throw new CliError(
      "Cannot write a report of lines: --html goes with a summary; leave out --lines, --unread, --last and --follow",
    );
  }
  const ofFiles = args.html !== undefined ? "--html" : args.unread ? "--unread" : null;
  if (files.length === 0 && ofFiles !== null) {
    throw new CliError(
      `Cannot take ${ofFiles} without a log file: name one, such as brokkr logs broker.log ${ofFiles}`,
    );
  }
  if (files.length === 0) return await (await import("./logs/follow.ts")).followBroker(runtime, args);
  if (follow) return await (await import("./logs/follow.ts")).followFiles(args);
  if (showsLines) return await (await import("./logs/print_lines.ts")).printLines(args);
  return await (await import("./logs/summarize.ts")).summarize(args);
}
