/**
 * The tables at the end of the demo.
 *
 * @module
 */

import type { BrokerStatus, ProcessStatus } from "../../mod.ts";
import { bold } from "./paint.ts";
import { mebibytes, milliseconds, table } from "./table.ts";

/** What became of one call of the demo. */
export interface DemoCall {
  readonly what: string;
  readonly call: string;
  readonly outcome: string;
}

const MAX_OUTCOME = 110;

/** What was called and what came of it; then the processes. */
export function demoReport(calls: readonly DemoCall[], status: BrokerStatus, colors: boolean): string {
  const callRows = calls.map(({ what, call, outcome }) => [
    what,
    call,
    outcome.length > MAX_OUTCOME ? `${outcome.slice(0, MAX_OUTCOME)}…` : outcome,
  ]);
  const rows = status.modules.flatMap((module) => [
    row(module, module.name),
    ...module.workers.map((worker) => row(worker, `  ${worker.name}`)),
  ]);
  const headings = [
    "process",
    " pid",
    "state",
    " restarts",
    " cleanup",
    " before",
    " after",
    " ok",
    " retried",
    " timeout",
    " error",
    " late",
    " p50",
    " p99",
  ];
  const { name, runtime, version } = status.broker;
  return [
    "",
    bold("What the callers got", colors),
    "",
    table(["outcome", "call", "result"], callRows, colors),
    "",
    bold(
      `Processes of ${name} (brokkr ${version}, ${runtime}): private memory before and after the cleanup, calls`,
      colors,
    ),
    "",
    table(headings, rows, colors),
    "",
    "",
  ].join("\n");
}

function row(process: ProcessStatus, shown: string): string[] {
  const { calls, cleanup, latencyMs } = process;
  return [
    shown,
    String(process.pid ?? "-"),
    process.state,
    String(process.restarts),
    milliseconds(cleanup?.ms ?? null),
    mebibytes(cleanup?.privateBytesBefore),
    mebibytes(cleanup?.privateBytesAfter),
    String(calls.ok),
    String(calls.retried),
    String(calls.timeout),
    String(calls.error),
    String(calls.late),
    milliseconds(latencyMs.p50),
    milliseconds(latencyMs.p99),
  ];
}
