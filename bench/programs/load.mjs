// The work that both sides of a comparison do: distinct objects of about 100 bytes, echoed.

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
  const lane = async () => {
    while (performance.now() < end) {
      const index = next++;
      const answer = await call(payload(index));
      if (answer.id !== index) throw new Error(`call ${index} got the answer of call ${answer.id}`);
      done++;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return done / ((performance.now() - start) / 1000);
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
  return times[times.length >> 1] * 1000;
}

/** Warms up, measures and prints one row as JSON. */
export async function measure(call) {
  const ms = Number(process.env.BENCH_MS ?? 1000);
  const work = process.env.BENCH_WORK ?? "100";
  await throughput(call, { inFlight: 100, ms: ms / 2 });
  const cpu = process.cpuUsage();
  const figure = work === "one" ? await latency(call, { ms }) : await throughput(call, { inFlight: Number(work), ms });
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ figure, parentCpuUs: user + system }));
}
