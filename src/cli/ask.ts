/**
 * The first step of a command that only asks a running broker. The npm package has all that it needs in one file for each runtime,
 * since each file that is read takes about as long as the question.
 */

import type { Runtime } from "../runtime/runtime.ts";
import { call } from "./call.ts";
import { commandLine } from "./command_line.ts";
import { describe } from "./describe.ts";
import { reload, restart, scale, stop } from "./restart.ts";
import { status } from "./status.ts";

const COMMANDS = { call, describe, reload, restart, scale, status, stop };

export async function ask(runtime: Runtime): Promise<void> {
  try {
    runtime.exit(await commandLine(runtime, 0, COMMANDS));
  } catch (error) {
    runtime.writeError(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    runtime.exit(1);
  }
}
