/**
 * `brokkr reload`: replaces processes by new ones with the current code, module by module.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, constant } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { askBroker } from "./connect.ts";
import { brokerOption } from "./options.ts";
import { showSteps } from "./progress_line.ts";
import { type ModuleArgs, requireStarted, unknownName } from "./restart.ts";

export const reloadParser = command(
  "reload",
  object({
    action: constant("reload"),
    module: optional(argument(string({ metavar: "MODULE" }), {
      description: message`A module; by default every module.`,
    })),
    broker: brokerOption(),
  }),
  { brief: message`Restart modules with their current code`, footer: message`Example: brokkr reload` },
);

/** The old processes serve calls until the new ones are ready. */
export async function reload(runtime: Runtime, { module, broker }: ModuleArgs): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    const kept = await showSteps(client, client.reload(module ?? null)).catch((error) => unknownName("reload", error));
    await requireStarted(client, module);
    if (kept.length > 0) {
      const names = kept.map((name) => `"${name}"`).join(", ");
      const why = "the new process ended before it was ready, the old one goes on, see the broker's log";
      throw new CliError(`Cannot load module ${names} again: ${why}`, ExitCode.gone);
    }
    runtime.writeError(`${module ?? "Every module"} was loaded again\n`);
    return ExitCode.done;
  });
}
