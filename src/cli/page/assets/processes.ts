/** The processes of the broker: their tables, and the sentence above them. */

import type { BrokerStatus } from "../../../core/broker/status.ts";
import type { CallCounts } from "../../../core/wire/status.ts";
import { type ProcessRow, processRows } from "../../status_rows.ts";
import { byId, type Column, count, fill, hot, mebibytes, milliseconds, set, type Table, timeText } from "./elements.ts";

const NAME: Column<ProcessRow> = { heading: "process", text: ({ status }) => status.name, isText: true };

const PROCESSES: Table<ProcessRow> = {
  caption: "Processes: state, and private memory before and after the cleanup",
  module: ({ module }) => module,
  columns: [
    NAME,
    {
      heading: "state",
      text: stateText,
      isText: true,
      className: ({ status: { blocked, state } }) => `state ${blocked ? "blocked" : state}`,
    },
    { heading: "pid", text: ({ status: { pid } }) => String(pid ?? "–") },
    { heading: "ready for", text: ({ status }) => timeText(status.uptimeMs) },
    {
      heading: "restarts",
      text: ({ status }) => count(status.restarts),
      className: ({ status }) => hot(status.restarts),
    },
    { heading: "memory now", text: ({ status }) => mebibytes(status.memory?.privateBytes) },
    { heading: "before cleanup", text: ({ status }) => mebibytes(status.cleanup?.privateBytesBefore) },
    { heading: "after cleanup", text: ({ status }) => mebibytes(status.cleanup?.privateBytesAfter) },
    { heading: "cleanup took", text: ({ status }) => milliseconds(status.cleanup?.ms) },
    {
      heading: "cleanup errors",
      text: ({ status: { cleanup } }) => cleanup === null ? "–" : count(cleanup.errors),
      className: ({ status: { cleanup } }) => hot(cleanup?.errors ?? 0),
    },
  ],
};

const CALLS: Table<ProcessRow> = {
  caption: "Calls since the start by outcome, answers that no call waited for, and latency",
  module: ({ module }) => module,
  columns: [
    NAME,
    counter("ok"),
    badCounter("retried"),
    badCounter("timeout"),
    badCounter("error"),
    counter("cancelled"),
    counter("late"),
    counter("duplicate"),
    counter("unknown"),
    { heading: "p50", text: ({ status }) => milliseconds(status.latencyMs.p50) },
    { heading: "p99", text: ({ status }) => milliseconds(status.latencyMs.p99) },
  ],
};

export function showProcesses(status: BrokerStatus): void {
  const rows = processRows(status);
  fill("processes", PROCESSES, rows);
  fill("calls", CALLS, rows);
  const { text, isGood } = health(rows);
  set(byId("health", HTMLParagraphElement), text, isGood ? "good" : "bad");
}

/** What is wrong, in one sentence. */
function health(rows: readonly ProcessRow[]): { text: string; isGood: boolean } {
  const wrong = rows.filter(({ status: { state, blocked } }) => state !== "ready" || blocked);
  if (wrong.length === 0) {
    return {
      text: rows.length === 1 ? "The one process is ready" : `All ${rows.length} processes are ready`,
      isGood: true,
    };
  }
  const named = wrong.slice(0, 5).map(({ status: { name, state, blocked, reason } }) =>
    `${name} is ${blocked ? "blocked" : state === "backoff" ? "in backoff" : state}${
      reason === null ? "" : ` (${reason})`
    }`
  );
  const more = wrong.length > 5 ? ", …" : "";
  return { text: `${wrong.length} of ${rows.length} processes not ready: ${named.join(", ")}${more}`, isGood: false };
}

function stateText({ status: { state, blocked, nextRestartMs } }: ProcessRow): string {
  const next = nextRestartMs === null ? "" : `, starts in ${milliseconds(nextRestartMs)}`;
  return `${state}${blocked ? ", blocked" : ""}${next}`;
}

function counter(name: keyof CallCounts): Column<ProcessRow> {
  return { heading: name, text: ({ status }) => count(status.calls[name]) };
}

function badCounter(name: keyof CallCounts): Column<ProcessRow> {
  return { ...counter(name), className: ({ status }) => hot(status.calls[name]) };
}
