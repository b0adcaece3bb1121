/** What shows a status goes through it by row: the processes of the broker, and the nodes of its cluster. */

import type { BrokerStatus } from "../core/broker/status.ts";
import type { ClusterStatus } from "../core/cluster/cluster.ts";
import type { ProcessStatus } from "../core/wire/status.ts";

export interface ProcessRow {
  readonly status: ProcessStatus;
  /** The module of a worker, or null. */
  readonly module: string | null;
}

/** Each module, and its workers behind it. */
export function processRows({ modules }: Pick<BrokerStatus, "modules">): ProcessRow[] {
  return modules.flatMap((module) => [
    { status: module, module: null },
    ...module.workers.map((status) => ({ status, module: module.name })),
  ]);
}

/** Without a figure for private memory, all resident memory. */
export function memoryOf({ memory }: Pick<ProcessStatus, "memory">): number | null {
  return memory?.privateBytes ?? memory?.rssBytes ?? null;
}

/** This node first, whose state is that of its membership, and the others by name. */
export function nodeRows(
  broker: BrokerStatus["broker"],
  { node, state, exports, members }: ClusterStatus,
) {
  return [
    { node, broker: broker.name, state, uptimeMs: broker.uptimeMs, silentMs: null, exports },
    ...members.toSorted((one, other) => one.node < other.node ? -1 : 1),
  ];
}
