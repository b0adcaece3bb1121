/** `brokkr status`: shows the processes of a broker. */

import type { BrokerStatus } from "../core/broker/status.ts";
import { sleep } from "../core/duration.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./exit_codes.ts";
import { askBroker, type Context } from "./connect.ts";
import { clusterTables, statusTable } from "./status_table.ts";
import type { TableOptions } from "./terminal.ts";
import type { ArgsOf } from "./commands.ts";
import { hasColors, print } from "./output.ts";

/** Not by `node:process`: to list what that exports, Node opens the three standard streams. */
const { process } = globalThis;

const WATCH_MS = 1_000;

export async function status(
  runtime: Runtime,
  { json, watch, cluster, broker }: ArgsOf<"status">,
  { asked }: Context,
): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    const colors = hasColors("stdout");
    const clear = watch && !json && process.env["TERM"] !== "dumb";
    for (;;) {
      const now = await client.status();
      const options = { colors, width: process.stdout.columns };
      const text = cluster
        ? clusterText(now, { ...options, json })
        : json
        ? JSON.stringify(now)
        : statusTable(now, options);
      const isRead = await print(`${text}\n`, { clear });
      if (!watch || !isRead) return;
      await sleep(runtime.clock, WATCH_MS);
    }
  }, asked);
}

/** @throws {CliError} where the broker has no cluster. */
function clusterText(
  { broker, cluster }: BrokerStatus,
  { json, ...options }: TableOptions & { readonly json: boolean },
): string {
  if (cluster === undefined) {
    const remedy = 'set "cluster" in its configuration, see "brokkr help cluster"';
    throw new CliError(`Broker "${broker.name}" is in no cluster; ${remedy}`, { exitCode: ExitCode.failed });
  }
  return json ? JSON.stringify(cluster) : clusterTables(broker, cluster, options);
}
