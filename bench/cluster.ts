/**
 * Brokers on several machines, all of them on this one: calls of one remote instance beside plain NATS request and reply, and beside the
 * most that can be had, in the same run; calls of an own module by a broker that is in a cluster beside one that is not; and what
 * presence costs with many nodes, which are made up: each is a connection that hears everybody and says each second what it has.
 *
 *     deno task bench:cluster --rows remote --runtime deno
 *     deno task bench:cluster --rows nodes --nodes 10,25,50 --modules 20
 */

import { connect } from "@nats-io/transport-node";
import { CLUSTER_VERSION } from "../src/core/cluster/members.ts";
import { VERSION } from "../src/core/version.ts";
import { PROTOCOL_VERSION } from "../src/core/wire/frame.ts";
import { optionsOf } from "./options.ts";
import { median, prepare, run } from "./side_by_side.ts";

const values = optionsOf("bench:cluster", {
  runtime: "node,deno,bun",
  rows: "remote,local,nodes",
  rounds: "5",
  ms: "1000",
  nodes: "10,25,50",
  modules: "20",
});

interface Flight {
  readonly perSecond: number;
  readonly p50Us: number;
}

type Round = { readonly inFlight: number } & Readonly<Record<"nats" | "bound" | "brokkr" | "local", Flight>>;

const server = await startServer();
try {
  await prepare();
  const rows = values.rows.split(",");
  for (const runtime of values.runtime.split(",")) {
    if (rows.includes("remote")) await remote(runtime);
    if (rows.includes("local")) await local(runtime);
    if (rows.includes("nodes")) await nodes(runtime);
  }
} finally {
  server.process.kill("SIGKILL");
  await server.process.status;
}

async function remote(runtime: string): Promise<void> {
  const rounds = await calls(runtime, {});
  const title = `${runtime}: one remote instance beside`;
  print(`${title} plain NATS request and reply`, rounds, ["brokkr", "nats"], ({ brokkr, nats }) => [brokkr, nats]);
  print(`${title} one message for all calls of a turn`, rounds, ["brokkr", "bound"], ({ brokkr, bound }) => [
    brokkr,
    bound,
  ]);
}

/** A process has a cluster or none, so each round has two. */
async function local(runtime: string): Promise<void> {
  const rounds: (readonly [number, Flight, Flight])[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = round % 2 === 0 ? ["cluster", "none"] : ["none", "cluster"];
    const of = new Map<string, readonly Round[]>();
    for (const kind of order) of.set(kind, await calls(runtime, { CLUSTER_LOCAL: kind, CLUSTER_ROUNDS: "1" }));
    for (const [index, { inFlight, local }] of (of.get("cluster") ?? []).entries()) {
      const without = of.get("none")?.[index]?.local;
      if (without !== undefined) rounds.push([inFlight, local, without]);
    }
  }
  const made = rounds.map(([inFlight, one, other]) => ({ inFlight, one, other }));
  print(`${runtime}: calls of an own module, in a cluster and in none`, made, ["cluster", "none"], ({ one, other }) => [
    one,
    other,
  ]);
}

async function calls(runtime: string, env: Readonly<Record<string, string>>): Promise<readonly Round[]> {
  const common = { CLUSTER_SERVER: server.url, CLUSTER_MS: values.ms, CLUSTER_ROUNDS: values.rounds };
  return await run(runtime, "cluster_calls.mjs", { env: { ...common, ...env } });
}

function print<R extends { readonly inFlight: number }>(
  title: string,
  rounds: readonly R[],
  [one, other]: readonly [string, string],
  sides: (round: R) => readonly [Flight, Flight],
): void {
  console.log(`\n${title}, medians of ${values.rounds} rounds`);
  for (const inFlight of new Set(rounds.map((round) => round.inFlight))) {
    const pairs = rounds.filter((round) => round.inFlight === inFlight).map(sides);
    const of = (pick: (pair: readonly [Flight, Flight]) => number) => median(pairs.map(pick));
    const p50 = inFlight > 1
      ? ""
      : `, p50 ${of(([a]) => a.p50Us).toFixed(0)} and ${of(([, b]) => b.p50Us).toFixed(0)} µs, ${
        of(([a, b]) => a.p50Us / b.p50Us).toFixed(2)
      }×`;
    console.log(
      `${String(inFlight).padStart(5)} in flight: ${one} ${of(([a]) => a.perSecond).toFixed(0)}, ${other} ${
        of(([, b]) => b.perSecond).toFixed(0)
      } calls a second, ${of(([a, b]) => a.perSecond / b.perSecond).toFixed(2)}×${p50}`,
    );
  }
}

/** What presence costs the server and each broker. */
async function nodes(runtime: string): Promise<void> {
  console.log(`\n${runtime}: presence of brokers with ${values.modules} modules each`);
  for (const count of [0, ...values.nodes.split(",").map(Number)]) {
    const made = await Promise.all(Array.from({ length: count }, (_, index) => madeUp(index)));
    const before = await server.figures();
    const since = performance.now();
    const env = { CLUSTER_SERVER: server.url, CLUSTER_NODES: String(count) };
    const { privateBytes, cpuPart } = await run<{ privateBytes: number; cpuPart: number }>(
      runtime,
      "cluster_member.mjs",
      {
        env,
      },
    );
    const after = await server.figures();
    const seconds = (performance.now() - since) / 1000;
    for (const end of made) await end();
    const rate = (key: "in_msgs" | "out_msgs" | "out_bytes") => (after[key] - before[key]) / seconds;
    console.log(
      `${String(count).padStart(5)} nodes: server gets ${rate("in_msgs").toFixed(0)} and delivers ${
        rate("out_msgs").toFixed(0)
      } messages a second (${
        (rate("out_bytes") / 1024).toFixed(0)
      } KiB/s), its processor ${after.cpu} %; a broker has ${
        (privateBytes / 1_048_576).toFixed(1)
      } MiB private and takes ${(cpuPart * 100).toFixed(1)} % of a processor`,
    );
  }
}

/** A connection that says what a broker with modules would, and hears everybody as one would. */
async function madeUp(index: number): Promise<() => Promise<void>> {
  const connection = await connect({ servers: [server.url] });
  const [broker, node] = [`broker-${index}`, `node-${index}`];
  const id = crypto.randomUUID().replaceAll("-", "");
  const startedAt = Date.now();
  const commands = ["get_module_info", "get_report", "get_state", "get_history", "clear"];
  const exports = Object.fromEntries(
    Array.from(
      { length: Number(values.modules) },
      (_, at) => [`module-${at}`, { state: "ready", pending: 0, commands }],
    ),
  );
  const said = () =>
    JSON.stringify({
      ...{
        v: CLUSTER_VERSION,
        protocol: PROTOCOL_VERSION,
        version: VERSION,
        broker,
        node,
        id,
        startedAt,
        pid: index + 10,
        runtime: "deno 2.9.5",
        exports,
      },
      at: Date.now(),
    });
  let heard = 0;
  connection.subscribe("brokkr.bench.hi.*.*", { callback: () => void heard++ });
  // One that nobody hears is gone for the others.
  connection.subscribe(`brokkr.bench.s.${broker}.${id}.*`, { callback: () => void heard++ });
  const timer = setInterval(() => connection.publish(`brokkr.bench.hi.${broker}.${node}`, said()), 1_000);
  await connection.flush();
  return async () => {
    clearInterval(timer);
    await connection.close();
  };
}

interface Figures {
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly out_bytes: number;
  readonly cpu: number;
}

async function startServer() {
  const [port, monitor] = [freePort(), freePort()];
  const args = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitor)];
  const path = `${Deno.env.get("PATH")}:/usr/sbin`;
  const process = new Deno.Command("nats-server", { args, env: { PATH: path }, stdout: "null", stderr: "null" })
    .spawn();
  const figures = async (): Promise<Figures> => await (await fetch(`http://127.0.0.1:${monitor}/varz`)).json();
  for (let tries = 0;; tries++) {
    try {
      await figures();
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return { url: `nats://127.0.0.1:${port}`, process, figures };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
