/**
 * Running the broker that a configuration describes.
 *
 * @module
 */

import { resolve } from "node:path";
import { BrokerCore } from "../core/broker/broker.ts";
import { attend } from "../core/control/attend.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { ConfigError } from "./config/config_error.ts";
import { readConfig } from "./config/read_config.ts";
import { openLog } from "./log_output.ts";
import type { PageAsked } from "./page/page.ts";
import { planOf } from "./plan.ts";
import { messageOf } from "../core/thrown.ts";

/** Never settles while the broker runs; its end is the end of this process. */
export async function runConfig(
  runtime: Runtime,
  file: string,
  { depth, page }: { readonly depth: number; readonly page: PageAsked | null },
): Promise<number> {
  const { plan, seat, log } = await prepare(runtime, file);
  if (page !== null) {
    const { openPage } = await import("./page/page.ts");
    await openPage(runtime, page, plan.name);
  }
  const core = new BrokerCore({ ...plan, log: log.write }, { runtime, depth, ...seat });
  log.whenLost((fields) => core.tell("log.lost", fields));
  core.whenStopped(() => Promise.resolve(log.close()));
  // Read one after the other, so that the newest is read last; none waits for what the one before has begun.
  let reading: Promise<void> = Promise.resolve();
  const absolute = resolve(file);
  const reload = () => {
    // Messages name the file as it was given, while that leads to it.
    const hasFolder = runtime.startedIn !== null && runtime.isFolder(runtime.startedIn);
    const again = hasFolder ? file : absolute;
    reading = reading.then(() => readAgain(core, { runtime, file: again }));
  };
  try {
    await attend(core, { runtime, control: true, signals: true, reload });
  } catch (error) {
    log.close();
    const why = messageOf(error);
    throw new CliError(why, ExitCode.usage, { cause: error });
  }
  await core.start();
  return await new Promise<never>(() => {});
}

/** Begins to put the configuration in force as it is now; where it is wrong a line says so and nothing changes. */
async function readAgain(core: BrokerCore, { runtime, file }: { runtime: Runtime; file: string }): Promise<void> {
  try {
    const config = await readConfig(file, runtime);
    if (config.name !== core.name) {
      return refuse(core, `the broker's name is "${core.name}" and can not become "${config.name}"`);
    }
    const { plan, seat } = await planOf(config);
    core.follow(plan, seat).catch((error: unknown) => refuse(core, messageOf(error)));
  } catch (error) {
    refuse(core, messageOf(error));
  }
}

function refuse(core: BrokerCore, reason: string): void {
  core.tell("broker.not-reloaded", { reason });
}

async function prepare(runtime: Runtime, file: string) {
  try {
    const config = await readConfig(file, runtime);
    return { ...await planOf(config), log: openLog(config, runtime) };
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message, ExitCode.usage, { cause: error });
    throw error;
  }
}
