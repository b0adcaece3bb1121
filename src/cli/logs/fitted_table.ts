import { table } from "../table.ts";
import { cut } from "./figures.ts";

const WIDTH = 80;
const LEAST_NAME = 12;
const GAP = 2;

/** A table of at most 80 columns: the names in the first one give way to the numbers. */
export function fitted(headings: readonly string[], rows: readonly (readonly string[])[], colors: boolean): string {
  const widths = headings.slice(1).map((heading, index) =>
    GAP + Math.max(heading.trim().length, ...rows.map((row) => row[index + 1]?.length ?? 0))
  );
  const left = Math.max(LEAST_NAME, WIDTH - widths.reduce((sum, width) => sum + width, 0));
  return table(headings, rows.map(([name = "", ...cells]) => [cut(name, left), ...cells]), colors);
}
