/** The page's plots, in the browser. */
export const PLOTS_SCRIPT = String.raw`
"use strict";
const plots = (() => {
  const MOST_PROCESSES = 8;
  const outcomes = ["ok", "retried", "timeout", "error", "cancelled"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const duration = (ms) => ms == null ? "–" : ms < 1 ? (ms * 1000).toFixed(0) + " µs" : ms < 1000 ? Number(ms.toPrecision(3)) + " ms" : Number((ms / 1000).toPrecision(3)) + " s";
  const rate = (value) => value == null ? "–" : Number(value.toFixed(1)) + "/s";
  const mebibytes = (value) => value == null ? "–" : value.toFixed(1) + " MiB";
  // From power to power: uPlot never ends when a logarithmic scale begins at some other figures, 0.0095 for example.
  const powers = (least, most) => [10 ** Math.floor(Math.log10(least)), 10 ** (Math.floor(Math.log10(most)) + 1)];
  const fromZero = { range: (_, __, most) => [0, Math.max(1, most * 1.05)] };
  const drawn = new Map();
  let moments = [];

  const kinds = {
    rates: {
      value: rate, ticks: (_, values) => values.map((one) => one + "/s"), scale: fromZero,
      series: () => outcomes.map((name) => ({ name, color: name, of: (moment) => moment.calls[name] })),
      now: (one) => rate(outcomes.reduce((sum, name) => sum + one.calls[name], 0)) + " now, of them " +
        outcomes.filter((name) => one.calls[name] > 0).map((name) => name + " " + rate(one.calls[name])).join(", ").replace(/^$/, "none"),
    },
    latency: {
      value: (ms) => duration(ms), ticks: (_, values) => values.map((one) => one == null ? "" : duration(one)),
      scale: { distr: 3, range: (_, least, most) => least == null ? [0.1, 10] : powers(least, most) },
      series: () => ["p50", "p99"].map((name) => ({ name, color: name, of: (moment) => moment[name] })),
      now: (one) => one.p50 == null ? "No call was answered in the last step"
        : "Half of the calls took at most " + duration(one.p50) + " just now, 99 of 100 at most " + duration(one.p99),
    },
    memory: {
      value: mebibytes, ticks: (_, values) => values.map((one) => String(one)), scale: fromZero,
      series: () => {
        const last = moments[moments.length - 1].memory;
        const largest = Object.keys(last).sort((one, other) => last[other] - last[one]).slice(0, MOST_PROCESSES);
        // In an order that stays, so that each keeps its colour.
        return largest.sort().map((name, index) => ({
          name, color: "series-" + (index + 1), of: (moment) => name in moment.memory ? moment.memory[name] / 1048576 : null,
        }));
      },
      now: (one) => {
        const all = Object.values(one.memory);
        return all.length === 0 ? "This system does not tell it" : mebibytes(all.reduce((sum, bytes) => sum + bytes, 0) / 1048576) + " now in " + all.length + " processes";
      },
    },
  };

  function dataOf(series) {
    return [moments.map(({ time }) => time / 1000), ...series.map(({ of }) => moments.map(of))];
  }

  function make(id, { value, ticks, scale, series }) {
    const box = document.getElementById(id);
    box.textContent = "";
    const axis = { stroke: color("text"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
    const plot = new uPlot({
      width: box.clientWidth, height: 200, cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true }, y: scale },
      axes: [{ ...axis, values: [[60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
        { ...axis, size: 70, values: ticks }],
      series: [{ label: "at", value: "{HH}:{mm}:{ss}" }, ...series.map((one) => ({
        label: one.name, stroke: color(one.color), width: 2, spanGaps: true, value: (_, raw) => value(raw), points: { show: false },
      }))],
    }, dataOf(series), box);
    drawn.set(id, { plot, names: series.map(({ name }) => name).join("\n"), box });
  }

  function draw() {
    if (moments.length === 0) return;
    for (const [id, kind] of Object.entries(kinds)) {
      const series = kind.series();
      const before = drawn.get(id);
      if (before && before.names === series.map(({ name }) => name).join("\n")) before.plot.setData(dataOf(series));
      else {
        if (before) before.plot.destroy();
        make(id, { ...kind, series });
      }
      document.getElementById(id + "-now").textContent = kind.now(moments[moments.length - 1]);
    }
  }

  dark.addEventListener("change", () => {
    for (const { plot } of drawn.values()) plot.destroy();
    drawn.clear();
    draw();
  });
  addEventListener("resize", () => {
    for (const { plot, box } of drawn.values()) plot.setSize({ width: box.clientWidth, height: 200 });
  });

  return {
    begin(all) {
      moments = all;
      draw();
    },
    add(moment, limit) {
      moments.push(moment);
      if (moments.length > limit) moments.shift();
      draw();
    },
  };
})();
`;
