/**
 * The one caller of a process by name: it stays while processes come and go, and follows the limits of the one that serves.
 *
 * @module
 */

import { CallClient, type CallLimits, DEFAULT_LIMITS } from "../call/client.ts";
import type { CallCounters } from "../call/outcomes.ts";
import { sleep } from "../duration.ts";
import type { Life } from "./life.ts";
import type { SupervisedOptions } from "./supervised_options.ts";

/** How often it is looked whether calls still run in a process that is to go. */
const IDLE_CHECK_MS = 100;

export class SupervisedCaller {
  readonly caller: CallClient;

  constructor(options: SupervisedOptions, counters: CallCounters) {
    const { runtime, reporter, module, setup } = options;
    this.caller = new CallClient({
      clock: runtime.clock,
      reporter,
      counters,
      module,
      limits: limitsOf(options),
      frameLimit: setup().frameLimit,
      thread: runtime.thread,
      tracesPromises: runtime.tracesPromises,
      ownFiles: runtime.ownFiles,
    });
  }

  /** Settles when no call waits for an answer from `life`, or there is no time any more. */
  async idle({ link, states, supervised }: Life, hasTime: () => boolean): Promise<void> {
    const { clock } = supervised.runtime;
    while (link !== undefined && states.state === "ready" && hasTime() && this.caller.outOn(link) > 0) {
      await sleep(clock, IDLE_CHECK_MS);
    }
  }

  /** From now on the limits of `options` hold; that of concurrency with the next process. */
  follow(options: SupervisedOptions): void {
    this.caller.limit(limitsOf(options));
  }
}

function limitsOf({ setup }: SupervisedOptions): CallLimits {
  const { queue, concurrency } = setup();
  const { calls, bytes, concurrency: unlimited } = DEFAULT_LIMITS;
  return { calls: queue ?? calls, bytes, concurrency: concurrency ?? unlimited };
}
