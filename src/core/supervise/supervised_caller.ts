/**
 * The one caller of a process by name: it stays while processes come and go, and follows the limits of the one that serves.
 *
 * @module
 */

import { Caller } from "../call/caller.ts";
import type { CallCounters } from "../call/counters.ts";
import { DEFAULT_QUEUE_LIMITS } from "../call/queue.ts";
import { pause } from "./deadline.ts";
import type { Life } from "./life.ts";
import type { SupervisedOptions } from "./supervised_options.ts";

/** How often it is looked whether calls still run in a process that is to go. */
const IDLE_CHECK_MS = 100;

interface Limits {
  readonly calls: number;
  readonly concurrency: number;
}

export class SupervisedCaller {
  readonly caller: Caller;
  #limits: Limits;

  constructor(options: SupervisedOptions, counters: CallCounters) {
    const { runtime, reporter, module, setup } = options;
    this.#limits = limitsOf(options);
    const limits = () => this.#limits;
    this.caller = new Caller({
      clock: runtime.clock,
      reporter,
      counters,
      module,
      queue: {
        bytes: DEFAULT_QUEUE_LIMITS.bytes,
        get calls() {
          return limits().calls;
        },
      },
      get concurrency() {
        return limits().concurrency;
      },
      frameLimit: setup().frameLimit,
      thread: () => runtime.thread(),
      tracesPromises: runtime.tracesPromises,
      ownFiles: runtime.ownFiles,
    });
  }

  /** Settles when no call waits for an answer from `life`. */
  async idle({ link, states, supervised }: Life): Promise<void> {
    const { clock } = supervised.runtime;
    while (link !== undefined && states.state === "ready" && this.caller.outOn(link) > 0) {
      await pause(clock, IDLE_CHECK_MS);
    }
  }

  /** From now on the limits of `options` hold; that of concurrency with the next process. */
  follow(options: SupervisedOptions): void {
    this.#limits = limitsOf(options);
  }
}

function limitsOf({ setup }: SupervisedOptions): Limits {
  const { queue, concurrency } = setup();
  return { calls: queue ?? DEFAULT_QUEUE_LIMITS.calls, concurrency: concurrency ?? Infinity };
}
