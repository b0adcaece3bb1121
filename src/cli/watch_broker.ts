/** Following a running broker: its status at each step, and its log records as they come. */

import { setTimeout } from "node:timers/promises";
import type { BrokerStatus } from "../core/broker/status.ts";
import { type ControlClient, ControlLostError } from "../core/control/client.ts";
import type { SentRecord } from "../core/control/protocol.ts";

export interface WatchOptions {
  /** The interval of the status. */
  readonly stepMs: number;
  /** How many earlier records come first. */
  readonly last: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
  status(status: BrokerStatus): void;
  record(record: SentRecord): void;
  /** Called when records were lost because they were read too slowly; reading continues with the next one. */
  interrupted?(error: unknown): void;
}

/** Settles when the broker or `signal` ends it. @throws {ControlLostError} if the connection is lost. */
export async function watchBroker(client: ControlClient, options: WatchOptions): Promise<void> {
  try {
    await Promise.race([readRecords(client, options), readStatus(client, options)]);
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  }
}

async function readRecords(client: ControlClient, options: WatchOptions): Promise<void> {
  const { signal, stepMs } = options;
  for (let last = options.last;; last = 0) {
    try {
      for await (const record of client.records({ level: "info", last }, signal)) options.record(record);
      return;
    } catch (error) {
      if (error instanceof ControlLostError || signal?.aborted) throw error;
      options.interrupted?.(error);
      await pause(stepMs, signal);
    }
  }
}

async function readStatus(client: ControlClient, { status, stepMs, signal }: WatchOptions): Promise<void> {
  while (!signal?.aborted) {
    status(await client.status());
    await pause(stepMs, signal);
  }
}

/** Settles after `ms`, or with `signal`. Does not keep the process alive. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { ref: false, signal }).catch(() => {});
}
