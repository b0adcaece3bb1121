/**
 * `brokkr logs` without a file: the lines of the running broker, through its control socket.
 *
 * @module
 */

import { LogReader } from "../../core/log/log_reader.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { ControlClient } from "../../core/control/client.ts";
import { RemoteError } from "../../core/errors/mod.ts";
import { CliError, ExitCode, NoBrokerError } from "../cli_error.ts";
import { askBroker } from "../connect.ts";
import type { LogsAsked } from "../logs.ts";
import { print } from "../output.ts";
import { type LineOptions, lineText } from "./print_lines.ts";

/** Before what is followed, as `tail` does. */
const LAST = 10;
/** More than a broker keeps. */
const ALL = 1_000_000;

/** Prints what the broker logged last, and with `--follow` until nobody reads any more or the broker ends. */
export async function followBroker(runtime: Runtime, asked: LogsAsked, options: LineOptions): Promise<number> {
  const { broker, follow, level = "info", events, since } = asked;
  const toText = lineText(options);
  const reader = new LogReader();
  const wanted = {
    level,
    follow,
    last: follow && since === undefined ? LAST : ALL,
    ...(events.length === 0 ? {} : { events }),
  };
  return await (follow ? askBroker : askOrName)(runtime, broker, async (client) => {
    try {
      for await (const { lines } of client.records(wanted)) {
        // A record is whole, so nothing is waited for behind it.
        const items = [...lines.flatMap((line) => reader.push(line)), ...reader.end()];
        if (!await print(items.map(toText).join(""))) break;
      }
    } catch (error) {
      throw error instanceof RemoteError ? cutOff(error) : error;
    }
    return ExitCode.done;
  });
}

function cutOff(error: RemoteError): CliError {
  const remedy = "read faster, or ask for less with --level or --event";
  return new CliError(`Cannot follow the broker any further: ${error.message}, ${remedy}`, ExitCode.failed, {
    cause: error,
  });
}

/** Who meant a file and forgot its name is told so. */
async function askOrName<T>(runtime: Runtime, broker: string | undefined, body: (client: ControlClient) => Promise<T>) {
  try {
    return await askBroker(runtime, broker, body);
  } catch (error) {
    if (!(error instanceof NoBrokerError)) throw error;
    throw new NoBrokerError(`${error.message}; or name log files, such as brokkr logs broker.log`, { cause: error });
  }
}
