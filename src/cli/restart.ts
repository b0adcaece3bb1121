/** `brokkr restart`, `stop`, `reload` and `scale`: each waits for the outcome, and shows the steps meanwhile. */

import type { ProcessState } from "../core/wire/status.ts";
import type { ControlClient } from "../core/control/client.ts";
import { EVENT_IDS } from "../core/log/events.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./exit_codes.ts";
import { operatorText } from "./colors.ts";
import { askBroker, unknownName } from "./connect.ts";
import type { ArgsOf } from "./commands.ts";
import { processRows } from "./status_rows.ts";
import { ProgressLine } from "./progress_line.ts";

export async function restart(runtime: Runtime, { module, broker }: ArgsOf<"restart">): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, "restart", client.restart(module ?? null));
    await requireStarted(client, module);
    runtime.writeError(`${module ?? "Every module"} was started again\n`);
  });
}

export async function stop(runtime: Runtime, { module, broker }: ArgsOf<"stop">): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    await showSteps(client, "stop", client.stop(module ?? null));
    runtime.writeError(`${module ?? "The broker"} has stopped\n`);
  });
}

/** The old processes serve calls until the new ones are ready. */
export async function reload(runtime: Runtime, { module, broker }: ArgsOf<"reload">): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    const kept = await showSteps(client, "reload", client.reload(module ?? null));
    await requireStarted(client, module);
    if (kept.length > 0) {
      const names = kept.map((name) => `"${name}"`).join(", ");
      const why = "the new process ended before it was ready, the old one goes on, see the broker's log";
      throw new CliError(`Cannot load module ${names} again: ${why}`, { exitCode: ExitCode.gone });
    }
    runtime.writeError(`${module ?? "Every module"} was loaded again\n`);
  });
}

/** Workers that are too many finish their calls before they end. */
export async function scale(runtime: Runtime, { module, workers, broker }: ArgsOf<"scale">): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    const refusal = await showSteps(client, "scale", client.scale(module, workers));
    if (refusal !== null) throw new CliError(refusal, { exitCode: ExitCode.failed });
    const { modules } = await client.status();
    for (const { name } of modules.find(({ name }) => name === module)?.workers ?? []) {
      await requireStarted(client, name);
    }
    runtime.writeError(`${module} has ${workers} ${workers === 1 ? "worker" : "workers"}\n`);
  });
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
