/**
 * The processes of a broker with what changes: calls per second from one look to the next.
 *
 * @module
 */

import type { BrokerStatus, ProcessStatus } from "../../core/broker/status.ts";

export interface Row {
  readonly status: ProcessStatus;
  /** The module that a worker belongs to, or null. */
  readonly parent: string | null;
  readonly callsPerSecond: number;
  /** Whether someone should look at it. */
  readonly isBad: boolean;
}

/** What can be sorted by, in the order of the key. */
export const ORDERS = ["name", "memory", "calls", "p99", "errors", "restarts"] as const;
export type Order = (typeof ORDERS)[number];

/** @param before the last look, `ms` ago. */
export function rowsOf(now: BrokerStatus, before: BrokerStatus | null, ms: number): Row[] {
  const old = new Map((before === null ? [] : flat(before)).map(({ status }) => [status.name, status]));
  return flat(now).map(({ status, parent }) => {
    const last = old.get(status.name);
    const more = last === undefined ? 0 : answered(status) - answered(last);
    const isBad = status.state === "failed" || status.state === "backoff" || status.blocked ||
      (last !== undefined && bad(status) > bad(last));
    return { status, parent, callsPerSecond: ms > 0 ? Math.max(0, (more * 1_000) / ms) : 0, isBad };
  });
}

/** By name workers stay below their module; by a figure everything stands by itself, the largest first. */
export function sorted(rows: readonly Row[], order: Order): Row[] {
  if (order === "name") return [...rows];
  const figure = FIGURES[order];
  return rows.toSorted((one, other) => figure(other) - figure(one));
}

const FIGURES: Readonly<Record<Exclude<Order, "name">, (row: Row) => number>> = {
  memory: ({ status }) => memoryOf(status) ?? 0,
  calls: ({ callsPerSecond }) => callsPerSecond,
  p99: ({ status }) => status.latencyMs.p99 ?? 0,
  errors: ({ status }) => bad(status),
  restarts: ({ status }) => status.restarts,
};

/** What can't be told apart is shown as a whole. */
export function memoryOf({ memory }: ProcessStatus): number | null {
  return memory.privateBytes ?? memory.rssBytes;
}

function flat({ modules }: BrokerStatus): { status: ProcessStatus; parent: string | null }[] {
  return modules.flatMap((module) => [
    { status: module, parent: null },
    ...module.workers.map((status) => ({ status, parent: module.name })),
  ]);
}

function answered({ calls }: ProcessStatus): number {
  return calls.ok + calls.retried + calls.error + calls.timeout + calls.cancelled;
}

function bad({ calls }: ProcessStatus): number {
  return calls.error + calls.timeout;
}
