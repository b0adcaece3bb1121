/**
 * `brokkr restart`: restarts processes, one module after the other.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, constant } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { ProcessState, ProcessStatus } from "../core/wire/status.ts";
import type { ControlClient } from "../core/control/client.ts";
import { UnknownModuleError } from "../core/faults.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { askBroker } from "./connect.ts";
import { brokerOption } from "./options.ts";
import { showSteps } from "./progress_line.ts";

export const restartParser = command(
  "restart",
  object({
    action: constant("restart"),
    module: optional(argument(string({ metavar: "MODULE" }), {
      description: message`A module, or a worker such as sla-1; by default every module.`,
    })),
    broker: brokerOption(),
  }),
  { brief: message`Restart a module, a worker or all modules`, footer: message`Example: brokkr restart sla` },
);

export interface ModuleArgs {
  readonly module: string | undefined;
  readonly broker: string | undefined;
}

export async function restart(runtime: Runtime, { module, broker }: ModuleArgs): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, client.restart(module ?? null)).catch((error) => unknownName("restart", error));
    await requireStarted(client, module);
    runtime.writeError(`${module ?? "Every module"} was started again\n`);
    return ExitCode.done;
  });
}

/** States of a process whose last start did not succeed. */
const NOT_STARTED: readonly ProcessState[] = ["failed", "backoff", "starting", "cleaning"];

/** @throws {CliError} if a module or worker did not start. */
export async function requireStarted(client: ControlClient, name: string | undefined): Promise<void> {
  const { modules } = await client.status();
  const isMeant = (process: ProcessStatus) =>
    NOT_STARTED.includes(process.state) && (name === undefined || name === process.name);
  const workers = modules.flatMap((module) => module.workers).filter(isMeant);
  const failed = modules.filter(isMeant);
  const [what, ended] = failed.length > 0 ? ["module", failed] : ["worker", workers];
  if (ended.length === 0) return;
  const names = ended.map((process) => `"${process.name}"`).join(", ");
  const isTriedAgain = ended.every((process) => process.state !== "failed");
  const next = isTriedAgain ? " and is tried again" : "";
  throw new CliError(
    `Cannot start ${what} ${names}: it ended before it was ready${next}, see the broker's log`,
    ExitCode.gone,
  );
}

/** Turns the error of an unknown name into one that names the action. */
export function unknownName(action: string, error: unknown): never {
  if (!(error instanceof UnknownModuleError)) throw error;
  const hint = error.nearest === null ? 'see the names with "brokkr status"' : `did you mean "${error.nearest}"`;
  const message = `Cannot ${action} "${error.target}": the broker has nothing of that name, ${hint}`;
  throw new CliError(message, ExitCode.unknown, { cause: error });
}
