import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlClient } from "../../../src/core/control/client.ts";
import { ControlServer } from "../../../src/core/control/server.ts";
import type { CallContext, Handler } from "../../../src/core/module/definition.ts";
import { Inbox } from "../../../src/runtime/posix/channel.ts";
import type { Channel, ChannelEvents, CommandProcess, Listener } from "../../../src/runtime/runtime.ts";
import { FrameType } from "../../../src/core/wire/frame.ts";
import { frame } from "../frames.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { settle } from "../manual_clock.ts";
import { SocketFolder } from "./sockets.ts";

const TOO_MANY = "too many clients are connected to the broker";

/** One end of a connection, which keeps what comes before it is opened. */
class SocketEnd implements Channel {
  readonly inbox = new Inbox();
  #peer: SocketEnd | undefined;
  readonly unsentBytes = 0;
  aborts = 0;
  /** Whether it does not end its side when the other one has ended. */
  stays = false;

  static pair(): [SocketEnd, SocketEnd] {
    const [near, far] = [new SocketEnd(), new SocketEnd()];
    [near.#peer, far.#peer] = [far, near];
    return [near, far];
  }

  open(events: ChannelEvents): void {
    this.inbox.open(events);
  }

  write(bytes: Uint8Array): void {
    const sent = bytes.slice();
    queueMicrotask(() => this.#peer?.inbox.data(sent));
  }

  close(): void {
    queueMicrotask(() => {
      this.#peer?.inbox.closed();
      if (this.#peer?.stays === false) this.inbox.closed();
    });
  }

  abort(): void {
    this.aborts++;
    this.inbox.closed();
  }
}

/** A process with one socket, in whose shell `ulimit -n` says what the test says. */
class OneSocket extends FakeRuntime {
  readonly #listening: string[] = [];
  override readonly files = () =>
    Promise.resolve({ folder: (name: string) => `/run/${name}`, list: () => this.#listening, remove: () => {} });
  readonly limit: string;
  #accept: ((channel: Channel) => void) | undefined;

  constructor(limit: string) {
    super();
    this.limit = limit;
  }

  override listen(path: string, accept: (channel: Channel) => void): Promise<Listener> {
    if (path.endsWith(".sock")) this.#accept = accept;
    this.#listening.push(path.slice(path.lastIndexOf("/") + 1));
    return Promise.resolve({ close: () => {} });
  }

  override connect(_path: string): Promise<Channel> {
    if (this.#accept === undefined) return Promise.reject(Object.assign(new Error("nobody"), { code: "ENOENT" }));
    return Promise.resolve(this.raw());
  }

  /** The client's end of a new connection, which has said nothing. */
  raw(): SocketEnd {
    const [near, far] = SocketEnd.pair();
    this.take(near);
    return far;
  }

  /** Somebody has connected. */
  take(channel: Channel): void {
    this.#accept?.(channel);
  }

  override spawnCommand(command: readonly string[]): Promise<CommandProcess> {
    assert.deepEqual(command, ["/bin/sh", "-c", "ulimit -n"]);
    const [near, far] = SocketEnd.pair();
    far.write(new TextEncoder().encode(this.limit));
    queueMicrotask(() => far.close());
    return Promise.resolve({
      pid: 1,
      channel: near,
      exited: Promise.resolve({ code: 0, signal: null }),
      kill: () => true,
      groupRuns: () => false,
    });
  }
}

/** A broker's control socket and its clients. */
class Clients {
  readonly runtime: OneSocket;
  readonly server: ControlServer;
  /** What clients that follow have to be given. */
  readonly wake: (() => void)[] = [];
  /** What the broker says of them. */
  readonly dropped: string[] = [];

  private constructor(runtime: OneSocket, server: ControlServer) {
    this.runtime = runtime;
    this.server = server;
  }

  static async open(limit: string): Promise<Clients> {
    const runtime = new OneSocket(limit);
    const status = () => ({ ok: true, value: { broker: {}, modules: [] } });
    let clients: Clients | undefined;
    const records = async function* (this: CallContext) {
      for (;;) {
        yield { event: "module.info", lines: [] };
        await new Promise<void>((resolve) => clients?.wake.push(resolve));
      }
    };
    const commands = new Map<string, Handler>([
      ["status", status],
      ["records", records],
      ["call", (_target, command) => {
        if (command === "odd") return { ok: true, value: { value: ODD, attempts: 1, ms: 0 } };
        return new Promise(() => {});
      }],
    ]);
    const dropped = (what: string, count: number) => void clients?.dropped.push(`${count} ${what}`);
    const server = await ControlServer.open({ runtime, broker: "b", commands, dropped, restored: () => {} });
    return clients = new Clients(runtime, server);
  }

  connect(): Promise<ControlClient> {
    return ControlClient.connect(this.runtime, "b", "/run/brokkr/b.sock");
  }

  /** A client that follows, and has its first record. */
  async follower() {
    const records = (await this.connect()).records({ level: "info" });
    const first = records.next();
    await this.runtime.clock.advance(0);
    await first;
    return { goesOn: () => records.next().then(() => true, () => false) };
  }

  /** Each that follows gets one record more. */
  async log(): Promise<void> {
    for (const wake of this.wake.splice(0)) wake();
    await this.runtime.clock.advance(0);
  }
}

/** What JSON has no word for. */
const ODD = { big: 2n ** 64n, numbers: [NaN, -Infinity, -0], at: new Date(7), none: undefined };

async function isOpen(client: ControlClient): Promise<boolean> {
  return await client.status().then(() => true, () => false);
}

test("two idle clients live beside each other, and one over the limit closes the one that has waited longest", async () => {
  const clients = await Clients.open("12\n");
  const first = await clients.connect();
  await clients.runtime.clock.advance(1);
  const second = await clients.connect();
  await clients.runtime.clock.advance(1);
  const third = await clients.connect();
  await clients.runtime.clock.advance(1);
  assert.deepEqual(await Promise.all([first, second, third].map(isOpen)), [true, true, true]);
  await clients.runtime.clock.advance(1);
  assert.equal(await isOpen(first), true);
  await clients.runtime.clock.advance(1);
  // The second connected first of those whose last command is as old.
  const fourth = await clients.connect();
  await settle();
  assert.deepEqual(await Promise.all([first, third, fourth].map(isOpen)), [true, true, true]);
  await assert.rejects(second.status(), { message: new RegExp(TOO_MANY) });
});

test("a client that reads the rich codec gets a result with what JSON has no word for", async () => {
  const clients = await Clients.open("1024\n");
  const client = await clients.connect();
  const call = client.call("sla", "odd", [], {});
  await clients.runtime.clock.advance(0);
  assert.deepEqual(await call, { value: ODD, attempts: 1, ms: 0 });
});

test("a client that has said nothing goes before one that waits, however long that has", async () => {
  const clients = await Clients.open("8\n");
  const idle = await clients.connect();
  await clients.runtime.clock.advance(1_000);
  const stranger = clients.runtime.raw();
  const heard: string[] = [];
  stranger.open({
    data: (chunk) => heard.push(new TextDecoder().decode(chunk)),
    drained: () => {},
    closed: () => heard.push("closed"),
  });
  await clients.connect();
  await settle();
  assert.match(heard[0] ?? "", new RegExp(TOO_MANY));
  assert.equal(heard.at(-1), "closed");
  assert.equal(await isOpen(idle), true);
});

test("a broker that says no hello in 10 s is not waited for, and the client says what may be wrong with it", async () => {
  const [near] = SocketEnd.pair();
  const runtime = Object.assign(new FakeRuntime(), { connect: () => Promise.resolve(near) });
  const refused = assert.rejects(ControlClient.connect(runtime, "b", "/run/brokkr/b.sock"), {
    message:
      'Cannot talk to broker "b": it said no hello in 10s, it is suspended (as by Ctrl-Z: kill -CONT) or too busy',
  });
  await runtime.clock.advance(10_000);
  await refused;
});

test("a client has 5 s to say hello", async () => {
  const clients = await Clients.open("1024\n");
  const heard: string[] = [];
  clients.runtime.raw().open({
    data: (chunk) => heard.push(new TextDecoder().decode(chunk)),
    drained: () => {},
    closed: () => heard.push("closed"),
  });
  await clients.runtime.clock.advance(4_999);
  assert.deepEqual(heard, []);
  await clients.runtime.clock.advance(1);
  assert.match(heard[0] ?? "", /the client said no hello/);
  assert.equal(heard.at(-1), "closed");
});

test("the end of a broker waits 1 s for the answers of commands that run", async () => {
  const clients = await Clients.open("1024\n");
  const client = await clients.connect();
  const asked = client.call("sla", "never", [], {}).catch((error: Error) => error.message);
  await settle();
  let isClosed = false;
  void clients.server.close().then(() => isClosed = true);
  await clients.runtime.clock.advance(999);
  assert.equal(isClosed, false);
  await clients.runtime.clock.advance(2);
  assert.equal(isClosed, true);
  assert.equal(await asked, 'Cannot call command "never" of module "sla": the broker ended');
});

test("a client that follows is never closed: the next one is told and closed, and so is each after it", async () => {
  const clients = await Clients.open("8\n");
  const followers = [await clients.follower(), await clients.follower()];
  for (let tries = 0; tries < 3; tries++) {
    await assert.rejects(clients.connect(), {
      message: 'Cannot talk to broker "b": it takes no more clients, the limit is 2 and none of them is idle',
    });
  }
  const going = followers.map((follower) => follower.goesOn());
  await settle();
  await clients.log();
  assert.deepEqual(await Promise.all(going), [true, true]);
});

test("a client that ends makes room for one that follows", async () => {
  const clients = await Clients.open("4\n");
  const only = await clients.connect();
  only.close();
  await settle();
  await clients.follower();
  await assert.rejects(clients.connect(), { message: /the limit is 1 and none/ });
});

for (
  const [limit, clients] of [["1024\n", 256], ["256\n", 64], ["unlimited\n", 256], [
    "3\n",
    1,
  ]] as const
) {
  test(`where ulimit -n says ${JSON.stringify(limit)}, the broker keeps ${clients} clients that follow`, async () => {
    const s = await Clients.open(limit);
    for (let number = 0; number < clients; number++) await s.follower();
    await assert.rejects(s.connect(), { message: new RegExp(`: it takes no more clients, the limit is ${clients} `) });
  });
}

test("of clients that do not end their side, the broker keeps 16 connections at most, and the newest", async () => {
  const s = await Clients.open("4\n");
  const pairs = Array.from({ length: 20 }, () => SocketEnd.pair());
  for (const [near, far] of pairs) {
    far.stays = true;
    s.runtime.take(near);
    await settle();
  }
  assert.deepEqual(pairs.map(([near]) => near.aborts), [1, 1, 1, ...Array<number>(17).fill(0)]);
});

test("frames that clients send and nobody can read are 20 lines a second, and one that counts the others", async () => {
  const clients = await Clients.open("1024\n");
  const { clock } = clients.runtime;
  for (let client = 0; client < 30; client++) {
    const raw = clients.runtime.raw();
    raw.open({ data: () => {}, drained: () => {}, closed: () => {} });
    raw.write(frame(FrameType.calls, "19"));
  }
  await settle();
  assert.deepEqual(clients.dropped, Array.from({ length: 20 }, () => "1 frame (a frame came before the hello: 19)"));
  await clock.advance(1_000);
  assert.equal(clients.dropped.at(-1), "10 other frames (limit: 20 lines a second)");
  assert.equal(clients.dropped.length, 21);
});

/** What one process does where the control sockets are. */
async function brokerIn(folder: SocketFolder, pid: number) {
  const runtime = folder.process(pid);
  const restored: string[] = [];
  const server = await ControlServer.open({
    runtime,
    broker: "b",
    commands: new Map(),
    dropped: () => {},
    restored: (path) => void restored.push(path),
  });
  const pass = async (ms: number) => {
    await runtime.clock.advance(ms);
    await settle();
  };
  return { runtime, server, restored, pass };
}

test("a broker whose socket was removed listens there again, and says so once", async () => {
  const folder = new SocketFolder();
  const { runtime, server, restored, pass } = await brokerIn(folder, 1);
  await pass(20_000);
  assert.deepEqual(restored, []);
  folder.paths.clear();
  await pass(5_000);
  assert.deepEqual([restored, folder.paths.get("/run/brokkr/b.sock")], [["/run/brokkr/b.sock"], runtime]);
  await pass(20_000);
  assert.equal(restored.length, 1);
  await server.close();
  assert.equal(folder.paths.has("/run/brokkr/b.sock"), false);
  await pass(20_000);
  assert.equal(folder.paths.has("/run/brokkr/b.sock"), false);
  assert.equal(runtime.clock.timers, 0);
});

test("a broker whose name another one took while its socket was gone takes it back when that one ends, not before", async () => {
  const folder = new SocketFolder();
  const first = await brokerIn(folder, 1);
  folder.paths.clear();
  const second = await brokerIn(folder, 2);
  await first.pass(20_000);
  assert.deepEqual([first.restored, folder.paths.get("/run/brokkr/b.sock")], [[], second.runtime]);
  await second.server.close();
  await first.pass(5_000);
  assert.deepEqual(first.restored, ["/run/brokkr/b.sock"]);
  await first.server.close();
});
