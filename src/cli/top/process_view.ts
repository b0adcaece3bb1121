/**
 * One process: its calls, its latencies as bars, the receipt of its cleanup.
 *
 * @module
 */

import type { CleanupStatus, ProcessStatus } from "../../core/broker/status.ts";
import { shortTime } from "../status_table.ts";
import { mebibytes, milliseconds } from "../table.ts";
import type { Row } from "./rows.ts";
import type { Style } from "./style.ts";

const BAR = 30;

export function processLines({ status }: Row, style: Style): string[] {
  return [
    `${style.bold(status.name)}  ${style.state(status.state, status.state)}  pid ${status.pid ?? "-"}  ` +
    `up ${shortTime(status.uptimeMs)}  restarts ${status.restarts}`,
    "",
    ...callLines(status, style),
    "",
    ...latencyLines(status, style),
    "",
    ...cleanupLines(status.cleanup, style),
  ];
}

function callLines({ calls, memory }: ProcessStatus, style: Style): string[] {
  const { ok, retried, error, timeout, cancelled, late, duplicate, unknown } = calls;
  return [
    style.bold("Calls"),
    `  ok ${ok}   retried ${retried}   error ${error}   timeout ${timeout}   cancelled ${cancelled}`,
    `  answers that were nobody's: late ${late}   duplicate ${duplicate}   unknown ${unknown}`,
    style.bold("Memory"),
    `  private ${mebibytes(memory.privateBytes)}   PSS ${mebibytes(memory.pssBytes)}   ` +
    `resident ${mebibytes(memory.rssBytes)}`,
  ];
}

function latencyLines({ latencyMs }: ProcessStatus, style: Style): string[] {
  const { p50, p99, histogram } = latencyMs;
  const most = Math.max(1, ...histogram.map(({ count }) => count));
  return [
    `${style.bold("Latency")}  p50 ${milliseconds(p50)}   p99 ${milliseconds(p99)}`,
    ...histogram.map(({ upToMs, count }) =>
      `  ≤ ${milliseconds(upToMs).padStart(9)} ${"█".repeat(Math.ceil((count / most) * BAR)).padEnd(BAR)} ${count}`
    ),
  ];
}

function cleanupLines(cleanup: CleanupStatus | null, style: Style): string[] {
  if (cleanup === null) return [style.dim("No cleanup since the last start")];
  const change = (what: string, from: number | null, to: number | null, show: (value: number | null) => string) =>
    `  ${what.padEnd(15)}${show(from).padStart(11)} to ${show(to).padStart(11)}`;
  const count = (value: number | null) => value === null ? "-" : String(value);
  return [
    `${style.bold("Clean after fork")}  ${cleanup.ms.toFixed(0)} ms, ${cleanup.released.length} released, ` +
    `${cleanup.errors} errors`,
    change("private memory", cleanup.privateBytesBefore, cleanup.privateBytesAfter, mebibytes),
    change("PSS", cleanup.pssBytesBefore, cleanup.pssBytesAfter, mebibytes),
    change("heap", cleanup.heapBytesBefore, cleanup.heapBytesAfter, mebibytes),
    change("open files", cleanup.openFilesBefore, cleanup.openFilesAfter, count),
    ...cleanup.modules.map(({ name, ms, error }) =>
      error === null ? `  ${name}: ${ms.toFixed(1)} ms` : style.red(`  ${name}: ${error}`)
    ),
    ...(cleanup.leftovers ?? []).map(({ kind, count }) => `  left over: ${count} × ${kind}`),
  ];
}
