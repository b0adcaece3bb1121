/** `brokkr restart`, `stop`, `reload` and `scale`: each waits for the outcome, and shows the steps meanwhile. */

import type { ControlClient } from "../core/control/client.ts";
import { escapeText } from "../core/log/escape.ts";
import { EVENT_IDS } from "../core/log/events.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { DONE, notStarted } from "./answers.ts";
import { CliError, ExitCode } from "./exit_codes.ts";
import { operatorText } from "./terminal.ts";
import { askBroker, type Context, unknownName } from "./connect.ts";
import type { ArgsOf } from "./commands.ts";
import type { ProcessRow } from "./status_rows.ts";
import { ProgressLine } from "./progress_line.ts";

/** What all four take, or some. */
interface ChangeArgs {
  readonly module: string | undefined;
  readonly workers?: number;
  readonly broker: string | undefined;
}

export const restart = changing("restart", (client, { module = null }) => client.restart(module));

export const stop = changing("stop", (client, { module = null }) => client.stop(module));

/** The old processes serve calls until the new ones are ready; the names of those that still do. */
export const reload = changing("reload", (client, { module = null }) => client.reload(module));

/** Workers that are too many finish their calls before they end. */
export const scale = changing("scale", async (client, { module, workers }: ArgsOf<"scale">) => {
  const refusal = await client.scale(module, workers);
  if (refusal !== null) throw new CliError(refusal, { exitCode: ExitCode.failed });
});

/** @param change may settle with the modules whose process was kept. */
function changing<Args extends ChangeArgs>(
  action: keyof typeof DONE,
  change: (client: ControlClient, args: Args) => Promise<readonly string[] | void>,
) {
  return async (runtime: Runtime, args: Args, { asked }: Context): Promise<void> => {
    const { module, workers, broker } = args;
    await askBroker(runtime, broker, async (client) => {
      const kept = await showSteps(client, action, change(client, args)) ?? [];
      if (action !== "stop") requireStarted(notStarted(await client.status(), action, module));
      if (kept.length > 0) {
        const names = kept.map((name) => `"${name}"`).join(", ");
        const why = "the new process ended before it was ready, the old one continues, see the broker's log";
        throw new CliError(`Cannot load module ${names} again: ${why}`, { exitCode: ExitCode.gone });
      }
      runtime.writeError(DONE[action]([module, workers].filter((operand) => operand !== undefined).map(String)));
    }, asked);
  };
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
  const reasons = ended.map(({ status: { name, reason } }) =>
    `"${name}": ${reason === null ? "it ended before it was ready" : escapeText(reason)}`
  );
  const isTriedAgain = ended.every(({ status }) => status.state !== "failed");
  const next = isTriedAgain ? ", and will be restarted" : "";
  throw new CliError(`Cannot start ${what} ${reasons.join("; ")}${next}, see the broker's log`, {
    exitCode: ExitCode.gone,
  });
}
