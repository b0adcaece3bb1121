// The work that both sides of a comparison do: distinct objects of about 100 bytes, or 1 MiB of bytes, echoed.
import process from "node:process";

const CALLS_A_LOOK = 64;

/** An object of 105 bytes as JSON, different for each `index`. */
export function payload(index) {
  return {
    id: index,
    host: `host-${index % 1000}.example.org`,
    state: index % 2 === 0 ? "up" : "down",
    tags: ["disk", "cpu"],
    value: index * 1.5,
  };
}

/** Keeps `inFlight` calls going for `ms`; resolves with calls per second. Every answer is checked. */
export async function throughput(call, { inFlight, ms }) {
  let next = 0;
  let done = 0;
  const end = performance.now() + ms;
  let isOver = false;
  const lane = async () => {
    while (!isOver) {
      const index = next++;
      // The clock is no part of a call: it would take up to a tenth of one in Deno.
      if (index % CALLS_A_LOOK === 0) isOver = performance.now() >= end;
      const answer = await call(payload(index));
      if (answer.id !== index) throw new Error(`call ${index} got the answer of call ${answer.id}`);
      done++;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { figure: done / ((performance.now() - start) / 1000), calls: done };
}

/** Calls one at a time for `ms`; resolves with the median latency in microseconds. */
export async function latency(call, { ms }) {
  const times = [];
  const end = performance.now() + ms;
  for (let index = 0; performance.now() < end; index++) {
    const start = performance.now();
    const answer = await call(payload(index));
    times.push(performance.now() - start);
    if (answer.id !== index) throw new Error(`call ${index} got the answer of call ${answer.id}`);
  }
  times.sort((a, b) => a - b);
  return { figure: times[times.length >> 1] * 1000, calls: times.length };
}

/** Echoes 1 MiB, two at a time, for `ms`; resolves with MB/s one way. */
async function bulk(call, { ms }) {
  const bytes = new Uint8Array(1024 * 1024).fill(7);
  let calls = 0;
  const end = performance.now() + ms;
  const lane = async () => {
    for (; performance.now() < end; calls++) {
      const answer = await call(bytes);
      if (answer.length !== bytes.length) throw new Error(`${answer.length} bytes came back`);
    }
  };
  const start = performance.now();
  await Promise.all([lane(), lane()]);
  return { figure: calls * bytes.length / 1e6 / ((performance.now() - start) / 1000), calls };
}

/** Processor time of the process that answers, in microseconds. */
const childCpu = async (call) => (await call({ cpu: true })).cpu;

/** What every callee does: gives back what it gets, or says how much processor time it took. */
export function echo(value) {
  if (value?.cpu !== true) return value;
  const { user, system } = process.cpuUsage();
  return { cpu: user + system };
}

/** Warms up, measures and prints one row as JSON. */
export async function measure(call) {
  const ms = Number(process.env.BENCH_MS ?? 1000);
  const work = process.env.BENCH_WORK ?? "100";
  await throughput(call, { inFlight: 100, ms: ms / 2 });
  const before = process.cpuUsage();
  const childBefore = await childCpu(call);
  const { figure, calls } = await run(call, { work, ms });
  const { user, system } = process.cpuUsage(before);
  const cpuUs = (user + system + await childCpu(call) - childBefore) / calls;
  console.log(JSON.stringify({ figure, cpuUs }));
}

function run(call, { work, ms }) {
  if (work === "one") return latency(call, { ms });
  if (work === "bytes") return bulk(call, { ms });
  return throughput(call, { inFlight: Number(work), ms });
}
