// The work that all sides of a comparison do: BENCH_VALUES drawn by BENCH_SEED are echoed, with BENCH_FLIGHT calls in flight, for BENCH_MS.
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import { isEcho, LARGE, makeValues } from "./values.mjs";

const CALLS_A_LOOK = 64;

/** What every callee does: gives back what it gets, or says how much processor time it took. */
export function echo(value) {
  if (value?.cpu !== true) return value;
  const { user, system } = process.cpuUsage();
  return { cpu: user + system };
}

/** Warms up and measures with each number of calls in flight, and prints a list of figures as JSON. */
export async function measure(call) {
  const ms = Number(process.env.BENCH_MS ?? 1000);
  const kind = process.env.BENCH_VALUES ?? "mix";
  const values = makeValues(kind, { seed: Number(process.env.BENCH_SEED ?? 1) });
  for (const value of values.slice(0, 256)) {
    const answer = await call(value);
    if (!isDeepStrictEqual(answer, value) && !isSameBytes(answer, value)) throw new Error(`${kind} came back changed`);
  }
  await throughput(call, { values, inFlight: LARGE.includes(kind) ? 2 : 100, ms: ms / 2 });
  const figures = [];
  for (const inFlight of (process.env.BENCH_FLIGHT ?? "100").split(",").map(Number)) {
    // Frames of ten calls are other work for the compiler than frames of a hundred.
    await throughput(call, { values, inFlight, ms: ms / 2 });
    figures.push({ inFlight, ...await figuresOf(call, { values, inFlight, ms }) });
  }
  console.log(JSON.stringify(figures));
}

/** In Node what came may be a Buffer. */
function isSameBytes(answer, value) {
  return value instanceof Uint8Array && isDeepStrictEqual(new Uint8Array(answer), value);
}

async function figuresOf(call, options) {
  const childBefore = (await call({ cpu: true })).cpu;
  const before = process.cpuUsage();
  const { calls, perSecond, times } = await (options.inFlight === 1 ? latency : throughput)(call, options);
  const { user, system } = process.cpuUsage(before);
  const cpuUs = (user + system + (await call({ cpu: true })).cpu - childBefore) / calls;
  const [p50Us, p99Us] = [0.5, 0.99].map((part) => times?.[Math.floor(times.length * part)] * 1000);
  return { perSecond, cpuUs, p50Us, p99Us };
}

/** Keeps `inFlight` calls going. Every answer is looked at. */
export async function throughput(call, { values, inFlight, ms }) {
  let next = 0;
  let calls = 0;
  let isOver = false;
  const aLook = inFlight > 2 ? CALLS_A_LOOK : 1;
  const end = performance.now() + ms;
  const lane = async () => {
    while (!isOver) {
      const index = next++;
      // The clock is no part of a call: it would take up to a tenth of one in Deno.
      if (index % aLook === 0) isOver = performance.now() >= end;
      const value = values[index % values.length];
      if (!isEcho(await call(value), value)) throw new Error(`call ${index} got another call's answer`);
      calls++;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { calls, perSecond: calls / ((performance.now() - start) / 1000) };
}

/** Calls one at a time; `times` are sorted. The rate is that of the median call, since others on the processor stop both sides at once. */
async function latency(call, { values, ms }) {
  const times = [];
  const end = performance.now() + ms;
  for (let now = performance.now(), index = 0; now < end; index++) {
    const value = values[index % values.length];
    const start = now;
    if (!isEcho(await call(value), value)) throw new Error(`call ${index} got another call's answer`);
    now = performance.now();
    times.push(now - start);
  }
  times.sort((a, b) => a - b);
  return { calls: times.length, perSecond: 1000 / times[times.length >> 1], times };
}
