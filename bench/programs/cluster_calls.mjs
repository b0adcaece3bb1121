// Calls of a module of another broker over NATS, beside plain NATS request and reply, and beside what could be had at best: one message
// for all calls of a turn, one process less, and no timeout, retry, order or limit. The callees are processes of their own, the sides
// take turns, and each side has CLUSTER_FLIGHT calls in flight. With CLUSTER_LOCAL: calls of a module of this broker, which is in a
// cluster or in none.
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connect } from "@nats-io/transport-node";

const isDeno = "Deno" in globalThis;
const { Broker, defineModule } = await import(isDeno ? "../../mod.ts" : "../../npm/mod.js");
const { nats } = await import(isDeno ? "../../nats.ts" : "../../npm/nats.js");

const { CLUSTER_SERVER: server = "", CLUSTER_ROLE: role = "caller", CLUSTER_LOCAL: local } = process.env;
const MS = Number(process.env.CLUSTER_MS ?? 1000);
const VALUE = {
  host: "srv-0042",
  service: "CPU load",
  state: 1,
  output: "WARN - 15 min load: 7.31",
  perf: [7.31, 5, 10],
};
const SUBJECT = "bench.echo";
const MANY = "bench.many";

const echo = defineModule({ name: "echo", commands: { echo: (value) => value } });
const clusterOf = (more) => nats({ servers: [server], name: "bench", connect, ...more });

async function callee() {
  if (role === "nats") {
    const connection = await connect({ servers: [server] });
    connection.subscribe(SUBJECT, {
      callback: (_, message) => message.respond(JSON.stringify(JSON.parse(message.string()))),
    });
    connection.subscribe(MANY, {
      callback: (_, message) => message.respond(JSON.stringify(JSON.parse(message.string()))),
    });
    await connection.flush();
  } else {
    const cluster = clusterOf({ node: "web", exports: { echo: true } });
    await Broker.start({ name: "web", modules: [echo], logLevel: "warning", cluster });
  }
  console.log("ready");
}

function together(connection) {
  const answers = "bench.answers";
  const waiting = new Map();
  let [last, made] = [0, []];
  connection.subscribe(answers, {
    callback(_, message) {
      for (const [id, value] of JSON.parse(message.string())) {
        waiting.get(id)(value);
        waiting.delete(id);
      }
    },
  });
  const send = () => {
    const calls = made;
    made = [];
    connection.publish(MANY, JSON.stringify(calls), { reply: answers });
  };
  return (value) => {
    if (made.push([++last, value]) === 1) Promise.resolve().then(() => Promise.resolve()).then(send);
    return new Promise((resolve) => waiting.set(last, resolve));
  };
}

async function started(kind) {
  const flags = isDeno ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...flags, fileURLToPath(import.meta.url)], {
    env: { ...process.env, CLUSTER_ROLE: kind },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", () => reject(new Error(`the callee "${kind}" has ended`)));
  });
  return child;
}

async function flight(call, inFlight, ms) {
  const times = [];
  const end = performance.now() + ms;
  let calls = 0;
  const begun = performance.now();
  const lane = async () => {
    for (let now = performance.now(); now < end;) {
      const answer = await call(VALUE);
      if (answer.host !== VALUE.host) throw new Error("another value came back");
      const next = performance.now();
      if (inFlight === 1) times.push(next - now);
      now = next;
      calls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  times.sort((one, other) => one - other);
  return { perSecond: calls / ((performance.now() - begun) / 1000), p50Us: (times[times.length >> 1] ?? NaN) * 1000 };
}

async function measured(sides) {
  for (const call of Object.values(sides)) await flight(call, 100, MS);
  const figures = [];
  for (const inFlight of (process.env.CLUSTER_FLIGHT ?? "1,100,1000").split(",").map(Number)) {
    for (let round = 0; round < Number(process.env.CLUSTER_ROUNDS ?? 5); round++) {
      const names = Object.keys(sides);
      if (round % 2 === 1) names.reverse();
      const of = {};
      for (const name of names) of[name] = await flight(sides[name], inFlight, MS);
      figures.push({ inFlight, ...of });
    }
  }
  console.log(JSON.stringify(figures));
}

if (role === "nats" || role === "web") await callee();
else if (local !== undefined) {
  const cluster = local === "cluster" ? { cluster: clusterOf({ node: "front", imports: ["other"] }) } : {};
  const broker = await Broker.start({ name: "local", modules: [echo], logLevel: "warning", ...cluster });
  await measured({ local: (value) => broker.call("echo", "echo", [value], { timeoutMs: 10_000 }) });
  await broker.stop();
  process.exit(0);
} else {
  const callees = [await started("nats"), await started("web")];
  const cluster = clusterOf({ node: "front", imports: ["echo"] });
  const broker = await Broker.start({ name: "front", modules: [], logLevel: "warning", cluster });
  const plain = await connect({ servers: [server] });
  await measured({
    nats: async (value) => (await plain.request(SUBJECT, JSON.stringify(value), { timeout: 10_000 })).json(),
    bound: together(plain),
    brokkr: (value) => broker.call("echo", "echo", [value], { timeoutMs: 10_000 }),
  });
  await plain.close();
  await broker.stop();
  for (const child of callees) child.kill("SIGTERM");
  process.exit(0);
}
