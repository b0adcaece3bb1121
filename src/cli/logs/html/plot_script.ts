/**
 * What draws the plots, in the browser. Where no script runs, the tables have all of it.
 *
 * @module
 */

export const PLOT_SCRIPT = String.raw`
"use strict";
(() => {
  const { widthMs, spans } = JSON.parse(document.getElementById("data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const troubles = ["retried", "failed", "crashed", "cleanup", "ended", "other"];
  let drawn = [];

  // Spans in which nothing happened are left out of the data, and are zeros in a plot.
  const times = [];
  const at = new Map(spans.map((span) => [span.time, span]));
  if (spans.length > 0) {
    const last = spans[spans.length - 1].time;
    for (let time = spans[0].time; time <= last && times.length < 2000; time += widthMs) times.push(time);
  }
  const seconds = times.map((time) => time / 1000);
  const of = (pick, missing) => times.map((time) => at.has(time) ? pick(at.get(time)) : missing);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const two = (number) => String(number).padStart(2, "0");
  // As in the log: the day below the first time of it.
  const clock = (_, ticks) => ticks.map((tick, index) => {
    const [date, before] = [new Date(tick * 1000), new Date(ticks[index - 1] * 1000)];
    const time = two(date.getUTCHours()) + ":" + two(date.getUTCMinutes()) + (widthMs < 60000 ? ":" + two(date.getUTCSeconds()) : "");
    const day = date.getUTCFullYear() + "-" + two(date.getUTCMonth() + 1) + "-" + two(date.getUTCDate());
    return index === 0 || date.getUTCDate() !== before.getUTCDate() ? time + "\n" + day : time;
  });
  const duration = (ms) => ms == null ? "–" : ms < 1000 ? Math.round(ms) + " ms" : (ms / 1000).toFixed(2) + " s";

  function draw(id, series, options) {
    const box = document.getElementById(id);
    box.textContent = "";
    const axis = { stroke: color("text"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
    const bars = options.bars ? { paths: uPlot.paths.bars({ size: [0.8, 60] }), points: { show: false } } : {};
    drawn.push([box, new uPlot({
      width: box.clientWidth, height: 240, tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
      scales: { x: { time: true }, y: options.scale || { range: (_, __, most) => [0, Math.max(1, most * 1.05)] } },
      axes: [{ ...axis, values: clock }, { ...axis, size: 70, values: options.values }],
      series: [{ label: "from", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" }, ...series.map((one) => ({
        label: one.name, stroke: color(one.color || one.name), width: 2,
        fill: options.bars ? color(one.color || one.name) : undefined, value: options.value, spanGaps: true, ...bars,
      }))],
    }, [seconds, ...series.map((one) => one.values)], box)]);
  }

  function drawAll() {
    for (const [, plot] of drawn) plot.destroy();
    drawn = [];
    if (times.length === 0) return;
    // Bars stand in front of each other: each one is drawn with what is before it, the largest sum first.
    const shown = troubles.filter((name) => spans.some((span) => span[name] > 0));
    const sums = shown.map((name, index) => ({
      name, values: of((span) => shown.slice(0, index + 1).reduce((sum, one) => sum + span[one], 0) || null, null),
    })).reverse();
    const own = (plot, _, series, index) => {
      if (index == null) return "–";
      const span = at.get(times[index]);
      return span ? String(span[plot.series[series].label]) : "0";
    };
    const counted = (plot, value, series, index) => own(plot, value, series, index);
    if (sums.length > 0) draw("trouble", sums, { bars: true, value: counted });
    else document.getElementById("trouble").textContent = "No trouble.";
    draw("calls", [{ name: "answered", values: of((span) => span.answered || null, null) }], { bars: true });
    const latency = ["p50", "p90", "p99"].map((name) => ({
      name, values: of((span) => span.latencyMs === null ? null : Math.max(1, span.latencyMs[name]), null),
    }));
    draw("latency", latency, {
      scale: { distr: 3 }, value: (_, ms) => duration(ms), values: (_, ticks) => ticks.map((ms) => ms == null ? "" : duration(ms)),
    });
  }

  dark.addEventListener("change", drawAll);
  addEventListener("resize", () => {
    for (const [box, plot] of drawn) plot.setSize({ width: box.clientWidth, height: 240 });
  });
  drawAll();
})();
`;
