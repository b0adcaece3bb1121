/** The tables of the page, and the sentence above them. */

import type { BrokerStatus } from "../../../core/broker/status.ts";
import type { CallCounts, ProcessStatus } from "../../../core/wire/status.ts";
import { byId, make, set } from "./elements.ts";

interface Column {
  readonly heading: string;
  readonly text: (process: ProcessStatus) => string;
  /** @default a number's */
  readonly className?: (process: ProcessStatus) => string;
}

interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
}

interface Row {
  readonly process: ProcessStatus;
  readonly module: string | null;
}

const PROCESSES: Table = {
  caption: "Processes: state, and private memory before and after the cleanup",
  columns: [
    { heading: "state", text: stateText, className: ({ blocked, state }) => `state ${blocked ? "blocked" : state}` },
    { heading: "pid", text: ({ pid }) => pid === null ? "–" : String(pid) },
    { heading: "ready for", text: ({ uptimeMs }) => timeText(uptimeMs) },
    { heading: "restarts", text: ({ restarts }) => count(restarts), className: ({ restarts }) => hot(restarts) },
    { heading: "memory now", text: ({ memory }) => mebibytes(memory?.privateBytes) },
    { heading: "before cleanup", text: ({ cleanup }) => mebibytes(cleanup?.privateBytesBefore) },
    { heading: "after cleanup", text: ({ cleanup }) => mebibytes(cleanup?.privateBytesAfter) },
    { heading: "cleanup took", text: ({ cleanup }) => milliseconds(cleanup?.ms) },
    {
      heading: "cleanup errors",
      text: ({ cleanup }) => cleanup === null ? "–" : count(cleanup.errors),
      className: ({ cleanup }) => hot(cleanup?.errors ?? 0),
    },
  ],
};

const CALLS: Table = {
  caption: "Calls since the start by outcome, answers that no call waited for, and latency",
  columns: [
    counter("ok"),
    badCounter("retried"),
    badCounter("timeout"),
    badCounter("error"),
    counter("cancelled"),
    counter("late"),
    counter("duplicate"),
    counter("unknown"),
    { heading: "p50", text: ({ latencyMs }) => milliseconds(latencyMs.p50) },
    { heading: "p99", text: ({ latencyMs }) => milliseconds(latencyMs.p99) },
  ],
};

export function showTables({ modules }: BrokerStatus): void {
  const rows = modules.flatMap((module): Row[] => [
    { process: module, module: null },
    ...module.workers.map((worker) => ({ process: worker, module: module.name })),
  ]);
  fill("processes", PROCESSES, rows);
  fill("calls", CALLS, rows);
  const { text, isGood } = health(rows.map(({ process }) => process));
  set(byId("health", HTMLParagraphElement), text, isGood ? "good" : "bad");
}

/** `12 s`, `3 min`, `2 h`, `4 d`. */
export function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

function fill(id: string, { caption, columns }: Table, rows: readonly Row[]): void {
  const table = byId(id, HTMLTableElement);
  makeRows(table, { caption, columns }, rows);
  rows.forEach(({ process }, index) => {
    const cells = table.tBodies[0]?.rows[index]?.cells;
    columns.forEach(({ text, className = () => "number" }, column) => {
      const cell = cells?.[column + 1];
      if (cell !== undefined) set(cell, text(process), className(process));
    });
  });
}

/** New rows only where the processes have changed. */
function makeRows(table: HTMLTableElement, { caption, columns }: Table, rows: readonly Row[]): void {
  const names = JSON.stringify(rows.map(({ process, module }) => [module, process.name]));
  if (table.dataset["names"] === names) return;
  table.dataset["names"] = names;
  const headings = make("tr", "");
  headings.append(make("th", "process", { scope: "col" }));
  for (const { heading } of columns) {
    headings.append(make("th", heading, { scope: "col", class: heading === "state" ? "" : "number" }));
  }
  const head = make("thead", "");
  head.append(headings);
  const body = make("tbody", "");
  for (const { process, module } of rows) {
    const row = make("tr", "");
    const name = make("th", process.name, { scope: "row" });
    if (module !== null) {
      name.className = "worker";
      name.append(make("span", `, worker of ${module}`, { class: "hidden" }));
    }
    row.append(name, ...columns.map(() => make("td", "")));
    body.append(row);
  }
  table.replaceChildren(make("caption", caption), head, body);
}

/** What is wrong, in one sentence. */
function health(processes: readonly ProcessStatus[]): { text: string; isGood: boolean } {
  const wrong = processes.filter(({ state, blocked }) => state !== "ready" || blocked);
  if (wrong.length === 0) {
    const text = processes.length === 1 ? "The one process is ready" : `All ${processes.length} processes are ready`;
    return { text, isGood: true };
  }
  const named = wrong.slice(0, 5).map(({ name, state, blocked }) =>
    `${name} is ${blocked ? "blocked" : state === "backoff" ? "in backoff" : state}`
  );
  const more = wrong.length > 5 ? ", …" : "";
  const text = `${wrong.length} of ${processes.length} processes not ready: ${named.join(", ")}${more}`;
  return { text, isGood: false };
}

function stateText({ state, blocked, nextRestartMs }: ProcessStatus): string {
  return `${state}${blocked ? ", blocked" : ""}${
    nextRestartMs === null ? "" : `, starts in ${milliseconds(nextRestartMs)}`
  }`;
}

function counter(name: keyof CallCounts): Column {
  return { heading: name, text: ({ calls }) => count(calls[name]) };
}

function badCounter(name: keyof CallCounts): Column {
  return { ...counter(name), className: ({ calls }) => hot(calls[name]) };
}

function hot(value: number): string {
  return value > 0 ? "number hot" : "number";
}

export function count(value: number): string {
  return value.toLocaleString("en");
}

function mebibytes(bytes: number | null | undefined): string {
  return bytes == null ? "–" : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value == null) return "–";
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
}
