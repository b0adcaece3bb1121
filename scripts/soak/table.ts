/** The summary of a soak: a row for each runtime. */

import type { Change } from "../../tests/fixtures/soak/report.ts";
import type { SoakResult } from "./run_soak.ts";

const COLUMNS = [
  "runtime",
  "calls by outcome",
  "faults by kind",
  "restarts",
  "streams",
  "wrong answers",
  "orphans",
  "zombies",
  "descriptors",
  "private memory",
  "longest recovery",
];

export function table(results: readonly SoakResult[]): string {
  return [COLUMNS, COLUMNS.map(() => "---"), ...results.map(row)].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function row({ runtime, report }: SoakResult): string[] {
  if (report === undefined) return [runtime, "no report", ...COLUMNS.slice(2).map(() => "")];
  return [
    runtime,
    counts(report.calls),
    counts(report.faults),
    report.restarts.toString(),
    `${report.streams} (${report.items} items)`,
    report.wrong.toString(),
    report.orphans.toString(),
    report.zombies.toString(),
    change(report.descriptors, (count) => count.toString()),
    change(report.privateBytes, (bytes) => `${(bytes / 1_048_576).toFixed(1)} MiB`),
    `${(report.longestRecoveryMs / 1000).toFixed(1)} s`,
  ];
}

/** The sum, and what it is made of, the most first. */
function counts(of: Readonly<Record<string, number>>): string {
  const parts = Object.entries(of).toSorted(([, a], [, b]) => b - a);
  const sum = parts.reduce((all, [, count]) => all + count, 0);
  return `${sum}: ${parts.map(([name, count]) => `${count} ${name}`).join(", ")}`;
}

function change({ before, after }: Change, show: (value: number) => string): string {
  return [before, after].map((value) => value === null ? "unknown" : show(value)).join(" → ");
}
