/** The processes as a table with as many columns as fit. */

import { bold, paint, paintState } from "../colors.ts";
import { fit } from "../columns.ts";
import { mebibytes, milliseconds, shortTime } from "../figures.ts";
import { memoryOf } from "../status_rows.ts";
import type { Row } from "./state.ts";

interface Column {
  readonly title: string;
  readonly width: number;
  /** Columns with the highest number are left out first on a narrow screen. */
  readonly dispensable: number;
  readonly text: (row: Row) => string;
}

const NAME_WIDTH = 14;
const LEAST_NAME = 6;
const STATE_WIDTH = 8;

const COLUMNS: readonly Column[] = [
  { title: "PID", width: 7, dispensable: 4, text: ({ status }) => String(status.pid ?? "-") },
  { title: "RST", width: 3, dispensable: 1, text: ({ status }) => String(status.restarts) },
  { title: "UP", width: 7, dispensable: 5, text: ({ status }) => upTime(status) },
  { title: "MEMORY", width: 10, dispensable: 0, text: ({ status }) => mebibytes(memoryOf(status)) },
  { title: "CALLS/S", width: 7, dispensable: 0, text: (row) => rate(row.callsPerSecond) },
  { title: "ERR", width: 4, dispensable: 2, text: ({ status }) => short(status.calls.error) },
  { title: "TMO", width: 4, dispensable: 2, text: ({ status }) => short(status.calls.timeout) },
  { title: "P50", width: 8, dispensable: 3, text: ({ status }) => milliseconds(status.latencyMs.p50) },
  { title: "P99", width: 8, dispensable: 0, text: ({ status }) => milliseconds(status.latencyMs.p99) },
];

export function headLine(width: number, colors: boolean): string {
  const { columns, name } = layout(width);
  const cells = columns.map(({ title, width }) => title.padStart(width));
  return bold(fit(["  " + fit("NAME", name), fit("STATE", STATE_WIDTH), ...cells].join(" "), width), colors);
}

export function rowLine(row: Row, options: { width: number; isSelected: boolean; colors: boolean }): string {
  const { width, isSelected, colors } = options;
  const { columns, name } = layout(width);
  const { status, module, isBad } = row;
  const head = `${isBad ? "!" : " "} ${fit(module === null ? status.name : `  ${status.name}`, name)} `;
  const state = fit(status.blocked ? "blocked" : status.state, STATE_WIDTH);
  const tail = columns.map((column) => fit(column.text(row), column.width).trim().padStart(column.width)).join(" ");
  // Inverse, so that it works without colors too.
  if (isSelected) return `\x1b[7m${fit(`${head}${state} ${tail}`, width)}\x1b[27m`;
  return `${isBad ? paint(head, "red", colors) : head}${
    paintState(state, status.blocked ? "failed" : status.state, colors)
  } ${tail}`;
}

/** The columns that fit, and the width left for the names. */
function layout(width: number): { columns: readonly Column[]; name: number } {
  let columns = [...COLUMNS];
  const used = () => 4 + STATE_WIDTH + columns.reduce((sum, column) => sum + column.width + 1, 0);
  while (width - used() < NAME_WIDTH) {
    const most = Math.max(...columns.map(({ dispensable }) => dispensable));
    if (most === 0) break;
    columns = columns.filter(({ dispensable }) => dispensable < most);
  }
  while (width - used() < LEAST_NAME && columns.length > 0) columns = columns.slice(1);
  return { columns, name: Math.max(1, Math.min(40, width - used())) };
}

function upTime({ state, uptimeMs, nextRestartMs }: Row["status"]): string {
  if (state === "ready") return shortTime(uptimeMs);
  return nextRestartMs === null ? "-" : `in ${Math.ceil(nextRestartMs / 1_000)}s`;
}

function rate(perSecond: number): string {
  return perSecond >= 100 || perSecond === 0 ? short(Math.round(perSecond)) : perSecond.toFixed(1);
}

function short(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)}M`;
  return count >= 10_000 ? `${Math.round(count / 1_000)}k` : String(count);
}
