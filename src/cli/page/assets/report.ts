/** Draws the plots of the report. Without scripts, the tables have all the numbers. */

import type UPlot from "uplot";
import type { Span, TimeLineFigures, Trouble } from "../../logs/time_line.ts";
import { byId } from "./elements.ts";
import { color, draw, onColors, rangeFromZero } from "./plot.ts";

/** Defined by the script of the library, which runs before. */
declare const uPlot: typeof UPlot;

const TROUBLES: readonly Trouble[] = ["retried", "failed", "crashed", "cleanup", "ended", "other"];
const PERCENTILES = ["p50", "p90", "p99"] as const;
const MAX_TIMES = 2000;

interface Series {
  /** The label, and the color's name. */
  readonly name: string;
  readonly values: readonly (number | null)[];
}

interface PlotOptions {
  readonly bars?: boolean;
  readonly scale?: UPlot.Scale;
  readonly value?: UPlot.Series["value"];
  readonly values?: UPlot.Axis.Values;
}

const { widthMs, spans }: TimeLineFigures = JSON.parse(byId("data", HTMLScriptElement).textContent ?? "");
const spanAt = new Map(spans.map((span) => [span.time, span]));
const times = timesOf(spans);

/** Spans in which nothing happened are left out of the data, and are zeros in a plot. */
function timesOf(spans: readonly Span[]): number[] {
  const times: number[] = [];
  const [first, last] = [spans[0], spans.at(-1)];
  if (first === undefined || last === undefined) return times;
  for (let time = first.time; time <= last.time && times.length < MAX_TIMES; time += widthMs) times.push(time);
  return times;
}

function valuesOf(pick: (span: Span) => number | null): (number | null)[] {
  return times.map((time) => {
    const span = spanAt.get(time);
    return span === undefined ? null : pick(span);
  });
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/** Times as in the log: the first one of a day has its date below it. */
function clock(_plot: UPlot, ticks: number[]): string[] {
  return ticks.map((tick, index) => {
    const [date, before] = [new Date(tick * 1000), new Date((ticks[index - 1] ?? NaN) * 1000)];
    const seconds = widthMs < 60_000 ? `:${two(date.getUTCSeconds())}` : "";
    const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}${seconds}`;
    const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
    return date.getUTCDate() !== before.getUTCDate() ? `${time}\n${day}` : time;
  });
}

function duration(ms: number | null | undefined): string {
  if (ms == null) return "–";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function plot(id: string, series: readonly Series[], { bars = false, scale, value, values }: PlotOptions): void {
  const paths = bars ? uPlot.paths.bars?.({ size: [0.8, 60] }) : undefined;
  const shape = paths === undefined ? {} : { paths, points: { show: false } };
  draw(id, {
    height: 240,
    data: [times.map((time) => time / 1000), ...series.map(({ values }) => [...values])],
    scale: scale ?? { range: rangeFromZero },
    ticks: values === undefined ? [clock] : [clock, values],
    series: [
      { label: "from", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
      ...series.map(({ name }) => ({
        label: name,
        stroke: color(name),
        width: 2,
        spanGaps: true,
        ...(bars ? { fill: color(name) } : {}),
        ...(value === undefined ? {} : { value }),
        ...shape,
      })),
    ],
    others: { tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC") },
  });
}

/** Bars stand in front of each other: each one is drawn with all before it, the largest sum first. */
function drawTroubles(): void {
  const shown = TROUBLES.filter((name) => spans.some((span) => span[name] > 0));
  if (shown.length === 0) {
    byId("trouble", HTMLDivElement).textContent = "No trouble.";
    return;
  }
  const sums = shown.map((name, index) => ({
    name,
    values: valuesOf((span) => shown.slice(0, index + 1).reduce((sum, one) => sum + span[one], 0) || null),
  })).reverse();
  plot("trouble", sums, {
    bars: true,
    // The legend has the trouble's own number instead of the sum.
    value: (_plot, _sum, series, index) => {
      const name = sums[series - 1]?.name;
      if (index == null || name === undefined) return "–";
      return String(spanAt.get(times[index] ?? NaN)?.[name] ?? 0);
    },
  });
}

function drawAll(): void {
  if (times.length === 0) return;
  drawTroubles();
  plot("calls", [{ name: "answered", values: valuesOf((span) => span.answered || null) }], { bars: true });
  const latency = PERCENTILES.map((name) => ({
    name,
    values: valuesOf(({ latencyMs }) => latencyMs === null ? null : Math.max(1, latencyMs[name])),
  }));
  plot("latency", latency, {
    scale: { distr: 3 },
    value: (_plot, ms) => duration(ms),
    values: (_plot, ticks) => ticks.map((ms) => ms == null ? "" : duration(ms)),
  });
}

onColors(drawAll);
drawAll();
