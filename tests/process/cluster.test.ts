import { Broker, ProcessGoneError, RemoteError, UnknownCommandError } from "brokkr";
import { nats, natsOf } from "brokkr/nats";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { FrontBroker, Ledger, NatsServer, pause, Proxy, Publisher, RemoteNode, SKIP, underLoad } from "./cluster_of.ts";
import { natsClient } from "../../src/cli/own_program.ts";
import { clientFiles } from "../fixtures/cluster/client_files.ts";
import { rejection } from "./broker_of.ts";

const OPTIONS = { skip: SKIP, timeout: 110_000 };

test("brokers call each other's modules over NATS: calls, streams, errors, large values", OPTIONS, async () => {
  const server = await NatsServer.start();
  const web = await RemoteNode.start({ servers: [server.url], node: "web-1" });
  const front = await FrontBroker.start({ servers: [server.url] });
  try {
    const { broker } = front;
    assert.deepEqual(await broker.call("sla", "run", [3, 0]), { key: 3, double: 6 });
    const bytes = new Uint8Array(3_000_000).fill(7);
    assert.deepEqual(await broker.call("sla@web-1", "echo", [bytes], { timeoutMs: 20_000 }), bytes);
    let sum = 0;
    for await (const number of broker.stream("sla", "count", [2_000])) sum += Number(number);
    assert.equal(sum, 1_999_000);
    const failed = await rejection(broker.call("sla", "fail"));
    assert.ok(failed instanceof RemoteError);
    assert.deepEqual([failed.remoteName, failed.message], ["RangeError", "out of range"]);
    assert.match(failed.remoteStack, /node\.[tj]s/);
    assert.ok(await rejection(broker.call("sla", "nothing")) instanceof UnknownCommandError);
    // This process has a broker with a cluster, and the module one of its own.
    assert.notDeepEqual(clientFiles(), []);
    assert.deepEqual(await broker.call("sla", "loaded"), []);
    const { cluster } = await broker.status();
    assert.equal(cluster?.state, "joined");
    assert.deepEqual(cluster.members.map(({ broker, node, state }) => [broker, node, state]), [[
      "provider",
      "web-1",
      "ready",
    ]]);
  } finally {
    await front.broker.stop();
    await web.end("SIGTERM");
    await server.kill();
  }
  assert.match(web.output, /The broker stopped in/);
});

test(
  "a broker that the server cuts off as too slow a reader gets every answer once when it reads again",
  OPTIONS,
  async () => {
    using ledger = new Ledger();
    const server = await NatsServer.start('write_deadline: "300ms"\nmax_pending: 1048576');
    const proxy = await Proxy.to(server.port);
    const web = await RemoteNode.start({ servers: [server.url], node: "web-1", ledger: ledger.path });
    const front = await FrontBroker.start({ servers: [proxy.url] });
    try {
      const keys = Array.from({ length: 20 }, (_, key) => key);
      await front.broker.call("sla", "run", [100, 0]);
      const answers = keys.map((key) => front.broker.call("sla", "run", [key, 100], { timeoutMs: 60_000 }));
      const flood = await Publisher.to(server.port);
      // What is left of the flood would cut off a reader that is late, too.
      const stalled = proxy.blackhole(server.logged(/Slow Consumer Detected/).then(() => flood.end()));
      // Far more than the buffers between the server and a reader that stands still.
      flood.publish("brokkr.test.hi.other.node", new Uint8Array(500_000), 60);
      await stalled;
      assert.deepEqual(await Promise.all(answers), keys.map((key) => ({ key, double: key * 2 })));
      assert.match(server.log, /Slow Consumer Detected/);
      assert.equal(front.lines(/^cluster\.reconnected$/).length, 1);
      assert.deepEqual([...ledger.runs().values()].map((runs) => runs.length), Array(21).fill(1));
    } finally {
      await front.broker.stop();
      await web[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await server.kill();
    }
  },
);

test("nats-server killed and cut off under load: no wrong answer, no command runs twice", OPTIONS, async () => {
  using ledger = new Ledger();
  const server = await NatsServer.start();
  const proxy = await Proxy.to(server.port);
  const web = await RemoteNode.start({ servers: [server.url], node: "web-1", ledger: ledger.path });
  const front = await FrontBroker.start({ servers: [proxy.url] });
  try {
    const load = await underLoad(front, ledger, async () => {
      proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await server.kill();
      await server.restart();
    }, { timeoutMs: 3_000 });
    assert.deepEqual(Object.keys(load.counts), ["ok"]);
    assert.ok(front.lines(/^cluster\.reconnected$/).length >= 2);
  } finally {
    await front.broker.stop();
    await web[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await server.kill();
  }
});

test("a remote broker that is killed under load: what it had is GONE, and another node goes on", OPTIONS, async () => {
  using ledger = new Ledger();
  const server = await NatsServer.start();
  const servers = [server.url];
  const nodes: RemoteNode[] = [];
  const front = await FrontBroker.start({ servers, lostAfterMs: 500 });
  try {
    for (const node of ["web-1", "web-2"]) {
      nodes.push(await RemoteNode.start({ servers, node, ledger: ledger.path, broker: `provider-${node}` }));
    }
    const [first, second] = nodes;
    const load = await underLoad(front, ledger, async () => {
      await first?.end("SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }, { timeoutMs: 3_000 });
    const { ok = 0, GONE = 0, ...others } = load.counts;
    assert.deepEqual(others, {});
    assert.ok(ok > 100 && GONE <= 50, JSON.stringify(load));
    // One that is asked to stop loses no call, with another one beside it.
    nodes.push(await RemoteNode.start({ servers, node: "web-3", ledger: ledger.path, broker: "provider-web-3" }));
    const drained = await underLoad(front, ledger, () => second?.end("SIGTERM") ?? Promise.resolve(), {
      timeoutMs: 3_000,
      firstKey: 1_000_000,
    });
    assert.deepEqual(Object.keys(drained.counts), ["ok"]);
  } finally {
    await front.broker.stop();
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await server.kill();
  }
});

test("the last error of a socket that the client has given up ends no process", OPTIONS, async () => {
  class NodeTransport {
    readonly socket = new EventEmitter();

    async _closed(later: Promise<void> | undefined): Promise<void> {
      await later;
      this.socket.removeAllListeners();
    }
  }
  const nothing = () => {};
  const client = { NodeTransport, connect: nothing, credsAuthenticator: nothing, nkeyAuthenticator: nothing };
  const { prepare } = natsOf({ servers: ["nats://127.0.0.1:1"], name: "test" }, () => Promise.resolve(client));
  await prepare();
  await prepare();
  for (const later of [undefined, Promise.resolve()]) {
    const made = new NodeTransport();
    const closed = made._closed(later);
    made.socket.emit("error", new Error("read ECONNRESET"));
    await closed;
    made.socket.emit("error", new Error("read ECONNRESET"));
  }
});

test("a server that accepts and says nothing costs no descriptor: each try is closed", OPTIONS, async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const accepted = once(server, "connection");
  const client = { ...await natsClient(), ...await import("@nats-io/transport-node") };
  const hasty = { ...client, connect: (options: object) => client.connect({ ...options, timeout: 100 }) };
  const settings = { servers: [`nats://127.0.0.1:${address.port}`], name: "test" };
  const { prepare, connect } = natsOf(settings, () => Promise.resolve(hasty));
  await prepare();
  const reasons: string[] = [];
  const nothing = () => {};
  const failed = (reason: string) => void reasons.push(reason);
  const pubSub = connect({ connected: nothing, disconnected: nothing, denied: nothing, failed });
  const [socket] = await accepted;
  assert.ok(socket instanceof Socket);
  try {
    socket.on("error", nothing).resume();
    await once(socket, "close", { signal: AbortSignal.timeout(10_000) });
    assert.deepEqual(reasons, ["timeout"]);
  } finally {
    await pubSub.close();
    socket.destroy();
    server.close();
  }
});

/** Listens, accepts nobody, and is full: whoever connects gets no answer. */
const DEAF =
  `use IO::Socket::INET; $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die; $p = $s->sockport;
@c = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $p, Blocking => 0) } 1 .. 3; $| = 1; print "$p\\n"; sleep 100`;

test("a server that does not even accept keeps no process alive: each try is closed", {
  ...OPTIONS,
  skip: SKIP || (existsSync("/proc/net/tcp") ? false : "Linux only"),
}, async () => {
  const deaf = spawn("perl", ["-e", DEAF], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = await once(deaf.stdout.setEncoding("utf8"), "data");
    const client = { ...await natsClient(), ...await import("@nats-io/transport-node") };
    const hasty = { ...client, connect: (options: object) => client.connect({ ...options, timeout: 300 }) };
    const settings = { servers: [`nats://127.0.0.1:${Number(port)}`], name: "test" };
    const { prepare, connect } = natsOf(settings, () => Promise.resolve(hasty));
    await prepare();
    const nothing = () => {};
    const trials = () => {
      const address = `0100007F:${Number(port).toString(16).toUpperCase().padStart(4, "0")} 02`;
      return readFileSync("/proc/net/tcp", "utf8").split("\n").filter((line) => line.includes(address)).length;
    };
    const others = trials();
    const reason = await new Promise<string>((resolve) => {
      const pubSub = connect({
        connected: nothing,
        disconnected: nothing,
        denied: nothing,
        failed: (text) => {
          void pubSub.close();
          resolve(text);
        },
      });
    });
    assert.equal(reason, "timeout");
    for (let turn = 0; turn < 100 && trials() > others; turn++) await pause(20);
    assert.equal(trials(), others);
  } finally {
    deaf.kill("SIGKILL");
  }
});

test("files of credentials and certificates are read again for each connection", async () => {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-files-"));
  const path = relative(process.cwd(), join(folder, "file"));
  try {
    for (const setting of ["creds", "nkey"] as const) {
      writeFileSync(join(folder, "file"), "old\n");
      const given = new Promise<Record<string, unknown>>((resolve) => {
        const authenticator = (read: () => Uint8Array) => () => new TextDecoder().decode(read());
        const client = { credsAuthenticator: authenticator, nkeyAuthenticator: authenticator };
        const open = (options: Record<string, unknown>) => new Promise<never>(() => resolve(options));
        const cluster = natsOf(
          { servers: ["tls://a"], name: "test", auth: { [setting]: path }, tls: { ca: path } },
          () => Promise.resolve({ ...client, connect: open }),
        );
        const nothing = () => {};
        const events = { connected: nothing, disconnected: nothing, denied: nothing, failed: nothing };
        void cluster.prepare().then(() => cluster.connect(events));
      });
      const { authenticator, tls } = await given;
      assert.ok(typeof authenticator === "function");
      assert.equal(authenticator().trim(), "old");
      writeFileSync(join(folder, "file"), "new\n");
      assert.equal(authenticator().trim(), "new");
      // The client reads those.
      assert.deepEqual(tls, { caFile: join(folder, "file") });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("Broker.start() says what is wrong with its cluster, and goes on without a server", OPTIONS, async () => {
  const start = (options: object) =>
    Broker.start({
      name: "front",
      modules: [],
      log: () => {},
      cluster: nats({ servers: ["nats://127.0.0.1:1"], name: "test", node: "front", ...options }),
    });
  await assert.rejects(
    start({ auth: { creds: "/nowhere.creds" } }),
    /file "\/nowhere\.creds" of cluster\.auth\.creds can not/,
  );
  await assert.rejects(
    start({ auth: { tokenEnv: "BROKKR_NO_SUCH" } }),
    /environment variable BROKKR_NO_SUCH of cluster/,
  );
  await assert.rejects(start({ exports: { sla: true } }), /exports\.sla names no module of this broker/);
  await assert.rejects(start({ servers: [] }), /servers must name one server at least/);
  const broker = await start({ imports: ["sla"] });
  try {
    const { cluster } = await broker.status();
    assert.equal(cluster?.state, "connecting");
    assert.match(cluster?.reason ?? "", /refused/);
    assert.ok(!(await rejection(broker.call("sla", "x", [], { timeoutMs: 50 })) instanceof ProcessGoneError));
  } finally {
    await broker.stop();
  }
});
