/** What all plots share. */

import type UPlot from "uplot";

export const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** A color of the style sheet. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function axisStyle(): UPlot.Axis {
  return { stroke: color("text"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
}

/** From zero to a little above the largest value, and to 1 at least. */
export function rangeFromZero(_plot: unknown, _least: number | null, most: number | null): [number, number] {
  return [0, Math.max(1, (most ?? 0) * 1.05)];
}
