/** The screen as lines: what is wrong first, the keys last. */

import type { BrokerStatus } from "../../core/broker/status.ts";
import type { SentRecord } from "../../core/control/protocol.ts";
import { isAtLeast } from "../../core/log/prefix.ts";
import { clusterLine } from "../status_table.ts";
import { shortTime } from "../figures.ts";
import { bold, fit, operatorText, paint, paintLine } from "../terminal.ts";
import { headLine, processLines, rowLine } from "./processes.ts";
import type { TopState } from "./state.ts";
import type { Size } from "./terminal.ts";

const HELP = [
  "up down j k     choose a process",
  "enter           its calls, latencies and cleanup receipt",
  "l               its log lines, live",
  "s               sort by name, memory, calls, p99, errors, restarts",
  "r               restart it",
  "x               stop its module",
  "space p         pause the screen",
  "escape          back",
  "q               quit",
  "",
  "! marks a process that has failed, is blocked, waits for its restart, or had errors since the last update.",
];

/** At most `size.height` lines of at most `size.width` characters. */
export function screenLines(state: TopState, size: Size, colors: boolean): string[] {
  const head = headerLines(state, size.width, colors);
  const foot = footerLines(state, size.width, colors);
  const height = Math.max(1, size.height - head.length - foot.length);
  const body = [...bodyLines(state, { ...size, height }, colors)].slice(0, height);
  while (body.length < height) body.push("");
  return [...head, ...body, ...foot].slice(0, size.height);
}

function headerLines({ status, rows, isPaused, order }: TopState, width: number, colors: boolean): string[] {
  if (status === null) return [fit("Waiting for the broker", width)];
  const { name, uptimeMs, version, runtime } = status.broker;
  const failed = rows.filter((row) => row.status.state === "failed").length;
  const ready = rows.filter((row) => row.status.state === "ready").length;
  // A broker of an earlier version has none.
  const { standby = [] } = status;
  const counts = `${rows.length === 1 ? "1 process" : `${rows.length} processes`}, ${ready} ready${
    failed > 0 ? `, ${failed} FAILED` : ""
  }${standby.length > 0 ? `, ${standby.length} standby` : ""}`;
  const marks = `${order === "name" ? "" : `  by ${order}`}${isPaused ? "  HELD" : ""}`;
  const title = fit(`${name}  up ${shortTime(uptimeMs)}  brokkr ${version}  ${runtime}`, width);
  const line = fit(counts + marks, width);
  return [bold(title, colors), failed > 0 ? paint(line, "red", colors) : line, ...nodesLine(status, width, colors)];
}

/** The cluster, where there is one: in red while a broker of it is not well. */
function nodesLine({ cluster }: BrokerStatus, width: number, colors: boolean): string[] {
  if (cluster === undefined) return [];
  const isWell = cluster.state === "joined" && cluster.members.every(({ state }) => state === "ready");
  const line = fit(clusterLine(cluster), width);
  return [isWell ? line : paint(line, "red", colors)];
}

function bodyLines(state: TopState, size: Size, colors: boolean): readonly string[] {
  switch (state.view) {
    case "help":
      return scrolled(state, HELP.map((line) => fit(line, size.width)), size);
    case "process": {
      const row = state.selectedRow;
      return row === undefined ? [] : scrolled(state, processLines(row, size.width, colors), size);
    }
    case "log":
      return logLines(state, size, colors);
    case "processes":
      return [headLine(size.width, colors), ...tableLines(state, size, colors)];
  }
}

/** As many lines as fit, from the scrolled position. */
function scrolled(state: TopState, lines: readonly string[], { height }: Size): readonly string[] {
  state.scrollAtMost(lines.length - height);
  return lines.slice(state.scrolled, state.scrolled + height);
}

/** The table, and below it the last warnings and errors. */
function tableLines(state: TopState, { width, height }: Size, colors: boolean): string[] {
  const { rows, selectedRow } = state;
  const room = height - 1;
  const troubles = state.records.filter(({ level }) => isAtLeast(level, "warning"));
  const below = Math.min(troubles.length, Math.max(3, room - rows.length - 1));
  const shown = Math.max(1, room - (troubles.length > 0 ? below + 1 : 0));
  const at = Math.max(0, rows.findIndex((row) => row === selectedRow));
  const from = Math.max(0, Math.min(at - (shown >> 1), rows.length - shown));
  const table = rows.slice(from, from + shown)
    .map((row) => rowLine(row, { width, isSelected: row === selectedRow, colors }));
  if (troubles.length === 0) return table;
  while (table.length < shown) table.push("");
  return [
    ...table,
    paint(fit("─ last warnings and errors ".padEnd(width, "─"), width), "dim", colors),
    ...last(troubles, { width, height: below }, colors),
  ];
}

function logLines(state: TopState, size: Size, colors: boolean): string[] {
  const name = state.selectedRow?.status.name ?? "";
  const about = state.records.filter((record) => isAbout(record, name));
  const end = Math.max(size.height - 1, about.length - state.scrolled);
  const records = about.slice(0, end);
  return [
    bold(fit(`Log of ${name}`, size.width), colors),
    ...last(records, { ...size, height: size.height - 1 }, colors),
  ];
}

function last(records: readonly SentRecord[], { width, height }: Size, colors: boolean): string[] {
  const lines = records.slice(-height).flatMap((record) =>
    record.lines.map((line) => paintLine(fit(shortLine(line, record), width).trimEnd(), record.level, colors))
  );
  return height === 0 ? [] : lines.slice(-height);
}

/** A log line without the date, broker, tag and pid, for which the screen has no room. */
function shortLine(line: string, { time, level, module }: SentRecord): string {
  return `${new Date(time).toTimeString().slice(0, 8)} ${level.toUpperCase().padEnd(7)} ${module}: ${
    operatorText(line)
  }`;
}

function isAbout({ module, fields }: SentRecord, name: string): boolean {
  return module === name || ["target", "process", "owner"].some((key) => Reflect.get(fields, key) === name);
}

function footerLines({ question, notice, view }: TopState, width: number, colors: boolean): string[] {
  if (question !== null) return [bold(fit(`${question.action} ${question.name}? y or n`, width), colors)];
  const keys = view === "processes"
    ? "↑↓ choose  enter details  l log  s sort  r restart  x stop  ? help  q quit"
    : "escape back  ↑↓ other process  page ↑↓ scroll  r restart  x stop";
  return [notice === "" ? paint(fit(keys, width), "dim", colors) : fit(notice, width)];
}
