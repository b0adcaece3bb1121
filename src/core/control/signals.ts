/** What signals do to a broker's process. Ctrl-C sends SIGINT. */

import type { Runtime } from "../../runtime/runtime.ts";
import type { BrokerCore } from "../broker/broker.ts";

export interface SignalOptions {
  readonly runtime: Runtime;
  readonly end: () => Promise<void>;
  /** What each SIGHUP does. @default replaces every module's process, one SIGHUP after the other */
  readonly reload?: (() => unknown) | undefined;
}

/** A signal within this time of another is the same one: `timeout`, `deno task` and `bunx` hand on what their process group gets too. */
const SAME_MS = 250;

/**
 * The first SIGINT or SIGTERM is `end`, the second kills what still runs, the third exits at once. So is the SIGHUP of a terminal that
 * is closed, but never more than the first. Returns the function that gives the signals back to the runtime.
 */
export function obeySignals(
  core: BrokerCore,
  { runtime, end, reload = reloadInTurn(core) }: SignalOptions,
): () => void {
  const steps = [end, () => core.hurry(), () => Promise.resolve(runtime.exit(130))];
  let count = 0;
  let last = -Infinity;
  const next = () => {
    const now = runtime.clock.now();
    if (now - last < SAME_MS) return;
    last = now;
    void steps[count++]?.();
  };
  const hadTerminal = runtime.hasTerminal();
  const hangUp = () => {
    if (!hadTerminal || runtime.hasTerminal()) reload();
    else if (count === 0) next();
  };
  const forgets = [
    runtime.onSignal("SIGINT", next),
    runtime.onSignal("SIGTERM", next),
    runtime.onSignal("SIGHUP", hangUp),
  ];
  return () => forgets.forEach((forget) => forget());
}

function reloadInTurn(core: BrokerCore): () => void {
  let reloads: Promise<unknown> = Promise.resolve();
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    reloads = reloads.then(async () => {
      isWaiting = false;
      // systemd may send SIGHUP right behind SIGTERM, and a terminal that closes in the middle of the end.
      if (!core.isEnding) await core.reload();
    });
  };
}
