/**
 * `brokkr stop`: drains and ends a module or the broker.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, constant } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Runtime } from "../runtime/runtime.ts";
import { ExitCode } from "./cli_error.ts";
import { askBroker } from "./connect.ts";
import { brokerOption } from "./options.ts";
import { showSteps } from "./progress_line.ts";
import { type ModuleArgs, unknownName } from "./restart.ts";

export const stopParser = command(
  "stop",
  object({
    action: constant("stop"),
    module: optional(argument(string({ metavar: "MODULE" }), {
      description: message`A module; by default the broker with all its modules.`,
    })),
    broker: brokerOption(),
  }),
  { brief: message`Drain and end a module or the broker`, footer: message`Example: brokkr stop sla` },
);

export async function stop(runtime: Runtime, { module, broker }: ModuleArgs): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, client.stop(module ?? null)).catch((error) => unknownName("stop", error));
    runtime.writeError(`${module ?? "The broker"} has stopped\n`);
    return ExitCode.done;
  });
}
