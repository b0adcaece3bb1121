/**
 * Plain tables in columns.
 *
 * @module
 */

import { bold } from "./paint.ts";

/** A table with one line of headings. Columns whose heading begins with a space are set to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[], colors: boolean): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.trim().length, ...rows.map((row) => (row[column] ?? "").length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return headings[column]?.startsWith(" ") ? cell.trim().padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd();
  return [bold(line(headings.map((heading) => heading.trim())), colors), ...rows.map(line)].join("\n");
}

/** Bytes in MiB with one decimal, or `-` where they are unknown. */
export function mebibytes(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? "-" : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** Milliseconds, or `-` where they are unknown. */
export function milliseconds(ms: number | null): string {
  return ms === null ? "-" : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}
