/**
 * A broker that people can reach: by its control socket, and by the signals of its process.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import type { BrokerCore } from "../broker/broker.ts";
import { controlCommands } from "./commands.ts";
import { ControlServer } from "./server.ts";

export interface AttendOptions {
  readonly runtime: Runtime;
  /** Opens the control socket. */
  readonly control: boolean;
  /**
   * SIGINT and SIGTERM drain the broker and end the process; a second one kills what still runs. A broker that stops because a module
   * failed ends the process with exit code 1.
   */
  readonly signals: boolean;
  /** What each SIGHUP does, where signals are handled. @default replaces every module's process, one SIGHUP after the other */
  readonly reload?: () => unknown;
  /** The brokers of this process that a signal ends: the last one takes the process with it. @default this one alone */
  readonly signalled?: Set<BrokerCore>;
}

/** In the lines about its frames. */
const CLIENT = "a client of the control socket";

/** Makes `core` reachable until it has stopped. @throws {NameTakenError} when a live broker has its name. */
export async function attend(core: BrokerCore, options: AttendOptions): Promise<void> {
  const { runtime, control, signals, reload = reloadInTurn(core), signalled = new Set() } = options;
  let server: ControlServer | undefined;
  let ending = false;
  const exit = () => {
    if (signalled.size === 0) runtime.exit(core.hasFailed ? 1 : 0);
  };
  const end = async () => {
    ending = true;
    await core.stop();
    await server?.close();
    signalled.delete(core);
    exit();
  };
  if (control) {
    const stop = async () => {
      if (signals) void end();
      await core.stop();
    };
    const commands = controlCommands(core, { now: () => runtime.clock.now(), stop });
    const dropped = (what: string, count: number) => core.report("process.dropped", { process: CLIENT, what, count });
    server = await ControlServer.open({ runtime, broker: core.name, commands, dropped });
    // Not awaited: who asked for the stop waits for its answer, and this for who asked.
    core.whenStopped(() => void server?.close());
  }
  if (signals) {
    signalled.add(core);
    const forgetHangup = runtime.onSignal("SIGHUP", () => void reload());
    const forget = onSignals(runtime, [end, () => core.hurry(), () => Promise.resolve(runtime.exit(130))]);
    core.whenStopped(() => {
      // A process that is about to exit keeps its listeners: a signal too many would end it otherwise than by its exit.
      if (ending) return;
      forget();
      forgetHangup();
      signalled.delete(core);
      if (core.hasFailed) exit();
    });
  }
}

function reloadInTurn(core: BrokerCore): () => void {
  let reloads: Promise<unknown> = Promise.resolve();
  return () => void (reloads = reloads.then(() => core.reload()));
}

/** The first signal takes the first step, the next one the next. */
function onSignals(runtime: Runtime, steps: readonly (() => Promise<void>)[]): () => void {
  let count = 0;
  const next = () => void steps[count++]?.();
  const forgets = [runtime.onSignal("SIGINT", next), runtime.onSignal("SIGTERM", next)];
  return () => forgets.forEach((forget) => forget());
}
