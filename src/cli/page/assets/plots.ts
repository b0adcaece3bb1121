/** The plots of the page. */

import type UPlot from "uplot";
import type { Outcome } from "../../../core/wire/status.ts";
import type { Moment } from "../history.ts";
import { byId } from "./elements.ts";
import { color, draw, onColors, rangeFromZero } from "./plot.ts";

const MAX_PROCESSES = 8;
const OUTCOMES: readonly Outcome[] = ["ok", "retried", "timeout", "error", "cancelled"];
const MEBIBYTE = 1_048_576;

interface Series {
  readonly name: string;
  readonly color: string;
  readonly valueAt: (moment: Moment) => number | null;
}

interface Kind {
  readonly text: (value: number | null) => string;
  readonly tick: (value: number | null) => string;
  readonly scale: UPlot.Scale;
  readonly series: () => readonly Series[];
  /** The sentence below the plot. */
  readonly now: (moment: Moment) => string;
}

const drawn = new Map<string, { readonly plot: UPlot; readonly names: string }>();
let moments: Moment[] = [];

const KINDS: Readonly<Record<string, Kind>> = {
  rates: {
    text: rate,
    tick: (value) => `${value}/s`,
    scale: { range: rangeFromZero },
    series: () => OUTCOMES.map((name) => ({ name, color: name, valueAt: (moment) => moment.calls[name] })),
    now({ calls }) {
      const all = OUTCOMES.reduce((sum, name) => sum + calls[name], 0);
      const parts = OUTCOMES.filter((name) => calls[name] > 0).map((name) => `${name} ${rate(calls[name])}`);
      return `${rate(all)} now, of them ${parts.join(", ") || "none"}`;
    },
  },
  latency: {
    text: duration,
    tick: (value) => value == null ? "" : duration(value),
    scale: { distr: 3, range: powers },
    series: () => (["p50", "p99"] as const).map((name) => ({ name, color: name, valueAt: (moment) => moment[name] })),
    now: ({ p50, p99 }) =>
      p50 === null
        ? "No call was answered since the last update"
        : `Half of the calls took at most ${duration(p50)} just now, 99 of 100 at most ${duration(p99)}`,
  },
  memory: {
    text: mebibytes,
    tick: (value) => String(value),
    scale: { range: rangeFromZero },
    series() {
      const last = moments.at(-1)?.memory ?? {};
      const largest = Object.entries(last).sort(([, one], [, other]) => other - one).slice(0, MAX_PROCESSES);
      // Sorted by name, so that each keeps its color.
      return largest.map(([name]) => name).sort().map((name, index) => ({
        name,
        color: `series-${index + 1}`,
        valueAt({ memory }) {
          const bytes = memory[name];
          return bytes === undefined ? null : bytes / MEBIBYTE;
        },
      }));
    },
    now({ memory }) {
      const all = Object.values(memory);
      const sum = all.reduce((sum, bytes) => sum + bytes, 0);
      return all.length === 0
        ? "This system does not report it"
        : `${mebibytes(sum / MEBIBYTE)} now in ${all.length} processes`;
    },
  },
};

/** Shows these moments, the oldest first. */
export function beginPlots(all: readonly Moment[]): void {
  moments = [...all];
  update();
}

/** Adds a moment to at most `limit`. */
export function addToPlots(moment: Moment, limit: number): void {
  moments.push(moment);
  if (moments.length > limit) moments.shift();
  update();
}

function update(): void {
  const last = moments.at(-1);
  if (last === undefined) return;
  for (const [id, kind] of Object.entries(KINDS)) {
    const series = kind.series();
    const names = series.map(({ name }) => name).join("\n");
    const before = drawn.get(id);
    if (before?.names === names) before.plot.setData(dataOf(series));
    else drawn.set(id, { plot: plotOf(id, kind, series), names });
    byId(`${id}-now`, HTMLParagraphElement).textContent = kind.now(last);
  }
}

const TIMES: UPlot.Axis.Values = [
  [60, "{HH}:{mm}", null, null, null, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
];

function plotOf(id: string, { text, tick, scale }: Kind, series: readonly Series[]): UPlot {
  return draw(id, {
    height: 200,
    data: dataOf(series),
    scale,
    ticks: [TIMES, (_plot, ticks) => ticks.map(tick)],
    series: [
      { label: "at", value: "{HH}:{mm}:{ss}" },
      ...series.map((one): UPlot.Series => ({
        label: one.name,
        stroke: color(one.color),
        width: 2,
        spanGaps: true,
        value: (_plot, value) => text(value),
        points: { show: false },
      })),
    ],
    others: { cursor: { drag: { x: false, y: false } } },
  });
}

function dataOf(series: readonly Series[]): UPlot.AlignedData {
  return [moments.map(({ time }) => time / 1000), ...series.map(({ valueAt }) => moments.map(valueAt))];
}

function rate(value: number | null): string {
  return value == null ? "–" : `${Number(value.toFixed(1))}/s`;
}

function duration(ms: number | null): string {
  if (ms == null) return "–";
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
}

function mebibytes(value: number | null): string {
  return value == null ? "–" : `${value.toFixed(1)} MiB`;
}

/** From power to power of ten: uPlot never ends when a logarithmic scale begins at some other figures, such as 0.0095. */
function powers(_plot: UPlot, least: number | null, most: number | null): [number, number] {
  if (least == null || most == null) return [0.1, 10];
  return [10 ** Math.floor(Math.log10(least)), 10 ** (Math.floor(Math.log10(most)) + 1)];
}

onColors(() => {
  drawn.clear();
  update();
});
