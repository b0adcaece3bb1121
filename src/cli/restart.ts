/** `brokkr restart`, `stop`, `reload` and `scale`: each waits for the outcome, and shows the steps meanwhile. */

import type { ControlClient } from "../core/control/client.ts";
import { EVENT_IDS } from "../core/log/events.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { DONE, notStarted } from "./answers.ts";
import { CliError, ExitCode } from "./exit_codes.ts";
import { operatorText } from "./colors.ts";
import { askBroker, type Context, unknownName } from "./connect.ts";
import type { ArgsOf } from "./commands.ts";
import type { ProcessRow } from "./status_rows.ts";
import { ProgressLine } from "./progress_line.ts";

export async function restart(
  runtime: Runtime,
  { module, broker }: ArgsOf<"restart">,
  { asked }: Context,
): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, "restart", client.restart(module ?? null));
    requireStarted(notStarted(await client.status(), "restart", module));
    runtime.writeError(DONE.restart(named(module)));
  }, asked);
}

export async function stop(runtime: Runtime, { module, broker }: ArgsOf<"stop">, { asked }: Context): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, "stop", client.stop(module ?? null));
    runtime.writeError(DONE.stop(named(module)));
  }, asked);
}

/** The old processes serve calls until the new ones are ready. */
export async function reload(
  runtime: Runtime,
  { module, broker }: ArgsOf<"reload">,
  { asked }: Context,
): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    const kept = await showSteps(client, "reload", client.reload(module ?? null));
    requireStarted(notStarted(await client.status(), "reload", module));
    if (kept.length > 0) {
      const names = kept.map((name) => `"${name}"`).join(", ");
      const why = "the new process ended before it was ready, the old one goes on, see the broker's log";
      throw new CliError(`Cannot load module ${names} again: ${why}`, { exitCode: ExitCode.gone });
    }
    runtime.writeError(DONE.reload(named(module)));
  }, asked);
}

/** Workers that are too many finish their calls before they end. */
export async function scale(
  runtime: Runtime,
  { module, workers, broker }: ArgsOf<"scale">,
  { asked }: Context,
): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    const refusal = await showSteps(client, "scale", client.scale(module, workers));
    if (refusal !== null) throw new CliError(refusal, { exitCode: ExitCode.failed });
    requireStarted(notStarted(await client.status(), "scale", module));
    runtime.writeError(DONE.scale([module, String(workers)]));
  }, asked);
}

function named(module: string | undefined): string[] {
  return module === undefined ? [] : [module];
}

const STEPS = EVENT_IDS.filter((event) => event.startsWith("process.") && event !== "process.output");

/** Settles as `work` does, which is to `action` something, and shows each step of any process until then. */
async function showSteps<T>(client: ControlClient, action: string, work: Promise<T>): Promise<T> {
  using line = new ProgressLine();
  const over = new AbortController();
  const show = async () => {
    for await (const { lines } of client.records({ events: STEPS }, over.signal)) {
      line.show(operatorText(lines[0] ?? ""));
    }
  };
  // The outcome counts even where the steps can't be shown.
  if (line.isShown) show().catch(() => {});
  try {
    return await work;
  } catch (error) {
    return unknownName(action, error);
  } finally {
    over.abort();
  }
}

/** @throws {CliError} if a module or worker did not start. */
function requireStarted(failed: readonly ProcessRow[]): void {
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
