/**
 * When there was trouble, for people, in 80 columns.
 *
 * @module
 */

import { bold } from "../paint.ts";
import type { Style } from "./describe_summary.ts";
import { count, spanText } from "./figures.ts";
import { fitted } from "./fitted_table.ts";
import type { LogSummary } from "./summary.ts";
import { type Span, TROUBLES } from "./time_line.ts";

const BAR = 12;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

export function describeTimeLine({ timeLine }: LogSummary, { colors }: Style): string | null {
  const { widthMs, spans } = timeLine;
  const troubled = spans.filter((span) => sum(span) > 0);
  if (troubled.length === 0) return null;
  const most = Math.max(...troubled.map(sum));
  const headings = ["FROM", ...TROUBLES.map((trouble) => ` ${trouble.toUpperCase()}`), ""];
  const rows = troubled.map((span) => [
    span.from.slice(0, widthMs < 60_000 ? 19 : 16),
    ...TROUBLES.map((trouble) => span[trouble] === 0 ? "." : count(span[trouble])),
    bar(sum(span) / most),
  ]);
  const title = `TROUBLE OVER TIME (a row is ${spanText(widthMs)}; rows without trouble are left out)`;
  return [bold(title, colors), fitted(headings, rows, colors)].join("\n");
}

function sum(span: Span): number {
  return TROUBLES.reduce((sum, trouble) => sum + span[trouble], 0);
}

function bar(part: number): string {
  const eighths = Math.max(1, Math.round(part * BAR * 8));
  return "█".repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? "");
}
