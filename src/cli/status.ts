/**
 * `brokkr status`: the processes of a broker.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command, constant, option } from "@optique/core/primitives";
import process from "node:process";
import type { Runtime } from "../runtime/runtime.ts";
import { brokerOption } from "./broker_option.ts";
import { ExitCode } from "./cli_error.ts";
import { askBroker } from "./connect.ts";
import { hasColors, print } from "./output.ts";
import { statusTable } from "./status_table.ts";
import { pause } from "../core/supervise/deadline.ts";

const WATCH_MS = 1_000;

export const statusParser = command(
  "status",
  object({
    action: constant("status"),
    json: option("--json", { description: message`Print one JSON document; with --watch one a line.` }),
    watch: option("--watch", { description: message`Print again every second until Ctrl-C.` }),
    broker: brokerOption(),
  }),
  { brief: message`Show the processes of a broker`, footer: message`Example: brokkr status --watch` },
);

export interface StatusAsked {
  readonly json: boolean;
  readonly watch: boolean;
  readonly broker: string | undefined;
}

export async function status(runtime: Runtime, { json, watch, broker }: StatusAsked): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    const colors = hasColors("stdout");
    const clear = watch && !json && process.env["TERM"] !== "dumb";
    for (;;) {
      const now = await client.status();
      const text = json ? JSON.stringify(now) : statusTable(now, { colors });
      const isRead = await print(`${text}\n`, { clear });
      if (!watch || !isRead) return ExitCode.done;
      await pause(runtime.clock, WATCH_MS);
    }
  });
}
