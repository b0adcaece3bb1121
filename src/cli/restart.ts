/** `brokkr restart`, `stop`, `reload` and `scale`: each waits for the outcome, and shows the steps meanwhile. */

import type { ProcessState } from "../core/wire/status.ts";
import type { ControlClient } from "../core/control/client.ts";
import { UnknownModuleError } from "../core/faults.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./exit_codes.ts";
import { askBroker } from "./connect.ts";
import type { ArgsOf } from "./commands.ts";
import { processRows } from "./status_rows.ts";
import { showSteps } from "./steps.ts";

export async function restart(runtime: Runtime, { module, broker }: ArgsOf<"restart">): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, client.restart(module ?? null)).catch((error) => unknownName("restart", error));
    await requireStarted(client, module);
    runtime.writeError(`${module ?? "Every module"} was started again\n`);
    return ExitCode.done;
  });
}

export async function stop(runtime: Runtime, { module, broker }: ArgsOf<"stop">): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, client.stop(module ?? null)).catch((error) => unknownName("stop", error));
    runtime.writeError(`${module ?? "The broker"} has stopped\n`);
    return ExitCode.done;
  });
}

/** The old processes serve calls until the new ones are ready. */
export async function reload(runtime: Runtime, { module, broker }: ArgsOf<"reload">): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    const kept = await showSteps(client, client.reload(module ?? null)).catch((error) => unknownName("reload", error));
    await requireStarted(client, module);
    if (kept.length > 0) {
      const names = kept.map((name) => `"${name}"`).join(", ");
      const why = "the new process ended before it was ready, the old one goes on, see the broker's log";
      throw new CliError(`Cannot load module ${names} again: ${why}`, { exitCode: ExitCode.gone });
    }
    runtime.writeError(`${module ?? "Every module"} was loaded again\n`);
    return ExitCode.done;
  });
}

/** Workers that are too many finish their calls before they end. */
export async function scale(runtime: Runtime, { module, workers, broker }: ArgsOf<"scale">): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    const refusal = await showSteps(client, client.scale(module, workers)).catch((error) =>
      unknownName("scale", error)
    );
    if (refusal !== null) throw new CliError(refusal, { exitCode: ExitCode.failed });
    const { modules } = await client.status();
    for (const { name } of modules.find(({ name }) => name === module)?.workers ?? []) {
      await requireStarted(client, name);
    }
    runtime.writeError(`${module} has ${workers} ${workers === 1 ? "worker" : "workers"}\n`);
    return ExitCode.done;
  });
}

/** States of a process whose last start did not succeed. */
const NOT_STARTED: readonly ProcessState[] = ["failed", "backoff", "starting", "cleaning"];

/** @throws {CliError} if a module or worker did not start. */
async function requireStarted(client: ControlClient, name: string | undefined): Promise<void> {
  const failed = processRows(await client.status()).filter(({ status }) =>
    NOT_STARTED.includes(status.state) && (name === undefined || name === status.name)
  );
  if (failed.length === 0) return;
  const modules = failed.filter(({ module }) => module === null);
  const [what, ended] = modules.length > 0 ? ["module", modules] : ["worker", failed];
  const names = ended.map(({ status }) => `"${status.name}"`).join(", ");
  const isTriedAgain = ended.every(({ status }) => status.state !== "failed");
  const next = isTriedAgain ? " and is tried again" : "";
  throw new CliError(`Cannot start ${what} ${names}: it ended before it was ready${next}, see the broker's log`, {
    exitCode: ExitCode.gone,
  });
}

/** Turns the error of an unknown name into one that names the action. */
export function unknownName(action: string, error: unknown): never {
  if (!(error instanceof UnknownModuleError)) throw error;
  const hint = error.nearest === null ? 'see the names with "brokkr status"' : `did you mean "${error.nearest}"`;
  const message = `Cannot ${action} "${error.target}": the broker has nothing of that name, ${hint}`;
  throw new CliError(message, { cause: error, exitCode: ExitCode.unknown });
}
