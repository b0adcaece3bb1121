/** A broker over the last hour: calls by outcome between two statuses, their latency, and memory. */

import type { BrokerStatus, ModuleStatus } from "../../core/broker/status.ts";
import { type Doublings, OUTCOMES, percentileOf } from "../../core/call/outcomes.ts";
import type { Outcome } from "../../core/wire/status.ts";
import { processRows } from "../status_rows.ts";

/** The figures of one step. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Calls to modules per second since the step before, by outcome. */
  readonly calls: Readonly<Record<Outcome, number>>;
  /** Latency of the calls that modules answered since then, in milliseconds; null if there were none. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Private bytes by process; unknown ones are left out. */
  readonly memory: Readonly<Record<string, number>>;
}

/** One event of the log. */
export interface Entry {
  readonly time: number;
  readonly level: string;
  readonly text: string;
}

/** What a browser gets when it connects. */
export interface Start {
  readonly status: BrokerStatus | null;
  readonly moments: readonly Moment[];
  readonly entries: readonly Entry[];
}

/** What it gets from then on; without a moment where something changed between two steps. */
export interface Step {
  readonly status: BrokerStatus;
  readonly moment: Moment | null;
}

export class History {
  readonly #limit: number;
  readonly #moments: Moment[] = [];
  #before: { readonly time: number; readonly modules: ReadonlyMap<string, ModuleStatus> } | undefined;

  constructor({ moments }: { readonly moments: number }) {
    this.#limit = moments;
  }

  /** Oldest first. */
  get moments(): readonly Moment[] {
    return this.#moments;
  }

  /** Adds the status at `time`; the rates of the first one are 0. */
  add(status: BrokerStatus, time: number): Moment {
    const seconds = (time - (this.#before?.time ?? time)) / 1_000;
    const changes = status.modules.map((module) => changeOf(this.#before?.modules.get(module.name), module));
    const latency = changes.map(({ latency }) => latency);
    const rate = (outcome: Outcome) => {
      const calls = changes.reduce((sum, { calls }) => sum + calls[outcome], 0);
      return seconds > 0 ? Math.round(calls / seconds * 10) / 10 : 0;
    };
    const moment: Moment = {
      time,
      calls: byOutcome(rate),
      p50: percentileOf(latency, 0.5),
      p99: percentileOf(latency, 0.99),
      memory: memoryOf(status),
    };
    this.#before = { time, modules: new Map(status.modules.map((module) => [module.name, module])) };
    this.#moments.push(moment);
    if (this.#moments.length > this.#limit) this.#moments.shift();
    return moment;
  }
}

/** If counters went back, the module was started anew. */
function changeOf(before: ModuleStatus | undefined, { calls, latencyMs }: ModuleStatus) {
  const isNew = before === undefined || OUTCOMES.some((outcome) => calls[outcome] < before.calls[outcome]);
  const since = (outcome: Outcome) => calls[outcome] - (isNew ? 0 : before.calls[outcome]);
  return {
    calls: byOutcome(since),
    latency: doublingsSince(isNew ? [] : before.latencyMs.histogram, latencyMs.histogram),
  };
}

function byOutcome(count: (outcome: Outcome) => number): Record<Outcome, number> {
  return {
    ok: count("ok"),
    retried: count("retried"),
    timeout: count("timeout"),
    cancelled: count("cancelled"),
    error: count("error"),
  };
}

function doublingsSince(before: Doublings, now: Doublings): Doublings {
  const counts = new Map(before.map(({ upToMs, count }) => [upToMs, count]));
  return now.map(({ upToMs, count }) => ({ upToMs, count: count - (counts.get(upToMs) ?? 0) }));
}

function memoryOf(status: BrokerStatus): Record<string, number> {
  return Object.fromEntries(
    processRows(status).flatMap(({ status: { name, memory } }) =>
      memory?.privateBytes == null ? [] : [[name, memory.privateBytes]]
    ),
  );
}
