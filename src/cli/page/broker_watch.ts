/** What the page shows of a broker: its status at each step and after each change of a process, and its last lines. */

import type { BrokerStatus } from "../../core/broker/status.ts";
import { type ControlClient, ControlLostError } from "../../core/control/client.ts";
import type { SentRecord } from "../../core/control/protocol.ts";
import type { Clock } from "../../runtime/runtime.ts";
import { pause, watchBroker } from "../watch_broker.ts";
import { type Entry, History, type Moment } from "./history.ts";

const STEP_MS = 2_000;
/** One hour. */
const MOMENTS = 60 * 60_000 / STEP_MS;
const LAST_LINES = 200;
/** Processes often change together: the status is read once for all of them. */
const CHANGE_MS = 100;

export interface WatchEvents {
  /** With a moment for the history; null between two steps. */
  status(status: BrokerStatus, moment: Moment | null): void;
  entry(entry: Entry): void;
}

export class BrokerWatch {
  readonly history = new History({ moments: MOMENTS });
  readonly #clock: Clock;
  readonly #events: WatchEvents;
  #entries: Entry[] = [];
  #status: BrokerStatus | null = null;
  #client: ControlClient | null = null;
  #lookedAt = 0;
  #hasStarted = false;
  #isChanging = false;

  constructor(clock: Clock, events: WatchEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** The last status, or null if there is none or it is outdated. */
  get status(): BrokerStatus | null {
    return this.#clock.now() - this.#lookedAt > 5 * STEP_MS ? null : this.#status;
  }

  /** Oldest first. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Whether the broker has started, no module has failed, and at least one is ready. */
  get isHealthy(): boolean {
    const modules = this.status?.modules ?? [];
    return this.#hasStarted && modules.some(({ state }) => state === "ready") &&
      modules.every(({ state }) => state !== "failed");
  }

  /** The current status, or null if the broker does not run. */
  async read(): Promise<BrokerStatus | null> {
    return await this.#client?.status().catch(() => null) ?? null;
  }

  /** Settles when the broker has ended. */
  async follow(client: ControlClient): Promise<void> {
    this.#client = client;
    try {
      await watchBroker(client, {
        stepMs: STEP_MS,
        last: LAST_LINES,
        status: (status) => this.#see(status, { isStep: true }),
        record: (record) => this.#add(record, client),
      });
      // Its last record was read: the connection ends next.
      await pause(STEP_MS);
    } catch (error) {
      if (!(error instanceof ControlLostError)) throw error;
    } finally {
      client.close();
      this.#status = null;
      this.#client = null;
    }
  }

  #see(status: BrokerStatus, { isStep }: { readonly isStep: boolean }): void {
    this.#status = status;
    this.#lookedAt = this.#clock.now();
    this.#hasStarted ||= status.modules.every(({ state }) => /^(ready|failed|stopped)$/.test(state));
    this.#events.status(status, isStep ? this.history.add(status, this.#clock.wall()) : null);
  }

  #add({ time, level, event, lines }: SentRecord, client: ControlClient): void {
    const entry = { time, level, text: lines.join("\n") };
    this.#entries.push(entry);
    if (this.#entries.length > LAST_LINES) this.#entries.shift();
    this.#events.entry(entry);
    if (event.startsWith("process.") && event !== "process.output") void this.#changed(client);
  }

  async #changed(client: ControlClient): Promise<void> {
    if (this.#isChanging) return;
    this.#isChanging = true;
    await pause(CHANGE_MS);
    this.#isChanging = false;
    await client.status().then((status) => this.#see(status, { isStep: false })).catch(() => {});
  }
}
