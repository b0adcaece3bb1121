/** A plot of a page: drawn anew with its colors, as wide as its box. */

import type UPlot from "uplot";
import { byId } from "./elements.ts";

/** Defined by the script of the library, which runs before. */
declare const uPlot: typeof UPlot;

export interface Drawing {
  readonly height: number;
  readonly data: UPlot.AlignedData;
  readonly scale: UPlot.Scale;
  /** The times below the plot, and the values beside it. */
  readonly ticks: readonly [times: UPlot.Axis.Values, values?: UPlot.Axis.Values];
  /** The times first. A color is that of the style sheet. */
  readonly series: readonly UPlot.Series[];
  readonly others?: Pick<UPlot.Options, "cursor" | "tzDate">;
}

const plots = new Map<string, { readonly plot: UPlot; readonly box: HTMLElement; readonly height: number }>();

/** Draws in the element with this id, in place of what is there. */
export function draw(id: string, { height, data, scale, ticks: [times, values], series, others }: Drawing): UPlot {
  plots.get(id)?.plot.destroy();
  const box = byId(id, HTMLDivElement);
  box.textContent = "";
  const style = { stroke: color("text"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
  const plot = new uPlot(
    {
      ...others,
      width: box.clientWidth,
      height,
      scales: { x: { time: true }, y: scale },
      axes: [{ ...style, values: times }, { ...style, size: 70, ...(values === undefined ? {} : { values }) }],
      series: [...series],
    },
    data,
    box,
  );
  plots.set(id, { plot, box, height });
  return plot;
}

/** A color of the style sheet, in the scheme of now: only that of an element is one of the two. */
export function color(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** From zero to a little above the largest value, and to 1 at least. */
export function rangeFromZero(_plot: unknown, _least: number | null, most: number | null): [number, number] {
  return [0, Math.max(1, (most ?? 0) * 1.05)];
}

/** The plots are drawn again in the colors of the scheme. */
export function onColors(drawAll: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
}

addEventListener("resize", () => {
  for (const { plot, box, height } of plots.values()) plot.setSize({ width: box.clientWidth, height });
});
