// nats-server, brokers in processes of their own, and a way between them that can be cut.
import { Broker, BrokerError, CallTimeoutError, type LogRecord } from "brokkr";
import { nats, type NatsOptions } from "brokkr/nats";
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";

// Debian has it where only root looks.
process.env["PATH"] = `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin`;

export const SKIP = spawnSync("nats-server", ["--version"]).status === 0
  ? false
  : "nats-server is missing, it is in Debian's package nats-server";

const NODE = fileURLToPath(new URL("../fixtures/cluster/node.ts", import.meta.url));
const START_MS = 60_000;

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

/** A server of NATS. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #config: string;
  #process: ChildProcess | undefined;
  log = "";

  private constructor(port: number, config: string) {
    this.port = port;
    this.#config = config;
  }

  /** @param config what its configuration has beside the port. */
  static async start(config = "", port?: number): Promise<NatsServer> {
    const server = new NatsServer(port ?? await freePort(), config);
    await server.restart();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async restart(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "brokkr-nats-"));
    const file = join(folder, "nats.conf");
    writeFileSync(file, `host: "127.0.0.1"\nport: ${this.port}\n${this.#config}\n`);
    const server = this.#process = spawn("nats-server", ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    server.stderr?.setEncoding("utf8").on("data", (text: string) => this.log += text);
    const until = Date.now() + START_MS;
    while (!await answers(this.port)) {
      assert.ok(Date.now() < until && server.exitCode === null, `nats-server did not start: ${this.log}`);
      await pause(20);
    }
    rmSync(folder, { recursive: true });
  }

  /** Settles when its log has such a text. */
  async logged(text: RegExp): Promise<void> {
    const until = Date.now() + START_MS;
    while (!text.test(this.log)) {
      assert.ok(Date.now() < until, `nats-server did not log ${text}: ${this.log}`);
      await pause(20);
    }
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

/** A way to a port that can be cut and held up. */
export class Proxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = portOf(server);
  }

  static async to(target: number): Promise<Proxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new Proxy(server);
    server.on("connection", (near) => {
      const far = connect(target, "127.0.0.1");
      const pair = [near, far] as const;
      proxy.#pairs.add(pair);
      const end = () => {
        proxy.#pairs.delete(pair);
        for (const socket of pair) socket.destroy();
      };
      for (const socket of pair) socket.on("error", end).on("close", end);
      near.pipe(far);
      far.pipe(near);
    });
    return proxy;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Every connection is lost. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** Nothing passes for that many milliseconds, or until `time` has settled, and no end sees it. */
  async blackhole(time: number | Promise<unknown>): Promise<void> {
    const held = [...this.#pairs];
    for (const pair of held) for (const socket of pair) socket.pause();
    await (typeof time === "number" ? pause(time) : time);
    for (const pair of held) for (const socket of pair) socket.resume();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    return Promise.resolve();
  }
}

/** Who publishes what no broker would. */
export class Publisher {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async to(port: number): Promise<Publisher> {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    await once(socket, "connect");
    socket.write('CONNECT {"verbose":false}\r\n');
    return new Publisher(socket);
  }

  publish(subject: string, bytes: Uint8Array, times = 1): void {
    for (let time = 0; time < times; time++) {
      this.#socket.write(`PUB ${subject} ${bytes.length}\r\n`);
      this.#socket.write(bytes);
      this.#socket.write("\r\n");
    }
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** A broker in a process of its own that exports `sla`. */
export class RemoteNode implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly node: string;
  output = "";

  private constructor(node: string, child: ChildProcess) {
    this.node = node;
    this.process = child;
  }

  static async start(
    options: Partial<NatsOptions> & { readonly node: string; readonly ledger?: string; readonly broker?: string },
  ) {
    const given = JSON.stringify({ name: "test", ...options });
    const child = spawn(process.execPath, [...RUN_FLAGS, NODE, given], { stdio: ["ignore", "pipe", "pipe"] });
    const remote = new RemoteNode(options.node, child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => remote.output += text);
    }
    const until = Date.now() + START_MS;
    while (!remote.output.includes("ready\n")) {
      if (Date.now() > until || child.exitCode !== null) {
        child.kill("SIGKILL");
        throw new Error(`node ${options.node} did not start: ${remote.output}`);
      }
      await pause(20);
    }
    return remote;
  }

  /** Deno's own `kill` of a process works once. */
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM"): void {
    const { pid, exitCode, signalCode } = this.process;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, signal);
  }

  /** Ends it and waits for that. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.signal(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    await this.end("SIGKILL");
  }
}

/** A broker in this process that calls the others' modules. */
export class FrontBroker implements AsyncDisposable {
  readonly broker: Broker;
  readonly records: LogRecord[];

  private constructor(broker: Broker, records: LogRecord[]) {
    this.broker = broker;
    this.records = records;
  }

  static async start(options: Partial<NatsOptions> & Pick<NatsOptions, "servers">): Promise<FrontBroker> {
    const records: LogRecord[] = [];
    const cluster = nats({ name: "test", node: "front", imports: ["sla"], ...options });
    const log = (record: LogRecord) => void records.push(record);
    return new FrontBroker(await Broker.start({ name: "front", modules: [], cluster, log }), records);
  }

  lines(ids: RegExp): string[] {
    return this.records.filter(({ event }) => ids.test(event)).flatMap((record) => record.lines());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop();
  }
}

/** A file that each run of a command adds its key to. */
export class Ledger implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "brokkr-ledger-"));
  readonly path = join(this.#folder, "runs");

  /** Nodes by key. */
  runs(): Map<number, string[]> {
    const runs = new Map<number, string[]>();
    if (!existsSync(this.path)) return runs;
    for (const line of readFileSync(this.path, "utf8").split("\n")) {
      const [key = "", node = ""] = line.split(" ");
      if (key !== "") runs.set(Number(key), [...runs.get(Number(key)) ?? [], node]);
    }
    return runs;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface Load {
  /** Calls by how they ended: `ok`, or the code of the error. */
  readonly counts: Readonly<Record<string, number>>;
  /** The longest time in which no call was answered, in milliseconds. */
  readonly longestPauseMs: number;
  readonly total: number;
}

/**
 * Calls from 50 callers, each one after the other, until `fault` has settled and some more. Checks that each call was settled once and
 * rightly, that no command ran twice, and that what was never sent did not run.
 */
export async function underLoad(
  { broker }: FrontBroker,
  ledger: Ledger,
  fault: () => Promise<unknown>,
  { callers = 50, timeoutMs = 1_000, moreMs = 1_000, firstKey = 0 } = {},
): Promise<Load> {
  const outcomes = new Map<number, unknown[]>();
  let next = firstKey;
  let isOver = false;
  let answeredAt = performance.now();
  let longestPauseMs = 0;
  const caller = async (offset: number) => {
    while (!isOver) {
      const key = next++;
      const outcome = await broker.call("sla", "run", [key, (key + offset) % 20], { timeoutMs })
        .catch((error: unknown) => error);
      outcomes.set(key, [...outcomes.get(key) ?? [], outcome]);
      if (outcome instanceof BrokerError) {
        // As a program would: not at once.
        await pause(20);
        continue;
      }
      const now = performance.now();
      longestPauseMs = Math.max(longestPauseMs, now - answeredAt);
      answeredAt = now;
    }
  };
  const all = Promise.all(Array.from({ length: callers }, (_, offset) => caller(offset)));
  try {
    await pause(300);
    await fault();
    await pause(moreMs);
  } finally {
    isOver = true;
  }
  await all;
  // What was sent and given up may run yet.
  await pause(300);
  const runs = ledger.runs();
  const counts: Record<string, number> = {};
  for (let key = firstKey; key < next; key++) {
    const [outcome, second] = outcomes.get(key) ?? [];
    assert.equal(second, undefined, `call ${key} was settled twice`);
    const times = runs.get(key)?.length ?? 0;
    assert.ok(times <= 1, `call ${key} ran ${times} times, on ${runs.get(key)}`);
    if (outcome instanceof BrokerError) {
      counts[outcome.code] = (counts[outcome.code] ?? 0) + 1;
      if (outcome instanceof CallTimeoutError && !outcome.sent) {
        assert.equal(times, 0, `call ${key} was never sent, and ran`);
      }
      continue;
    }
    assert.deepEqual(outcome, { key, double: key * 2 }, `call ${key} has a wrong answer`);
    assert.equal(times, 1, `call ${key} was answered and did not run`);
    counts["ok"] = (counts["ok"] ?? 0) + 1;
  }
  return { counts, longestPauseMs: Math.round(longestPauseMs), total: next - firstKey };
}
