import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { ServerResponse } from "node:http";
import { createConnection, type Socket } from "node:net";
import { test } from "node:test";
import { Connections } from "../../../src/cli/page/connections.ts";
import { pageServer } from "../../../src/cli/page/server.ts";
import { ManualClock } from "../../core/manual_clock.ts";
import { brokerConfig, inSandbox } from "../cli_process.ts";
import { pageOf } from "./page_of.ts";

/** What {@link Connections} uses of a socket. */
class FakeSocket extends EventEmitter {
  text = "";
  isDestroyed = false;

  end(text: string): void {
    this.text = text;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit("close");
  }
}

/** The page with room for two. */
class Page {
  readonly clock = new ManualClock();
  readonly #connections = new Connections(2, this.clock);

  connect(): FakeSocket {
    const socket = new FakeSocket();
    this.#connections.add(asSocket(socket));
    return socket;
  }

  /** A request that is allowed where `isKnown`. Returns what answers it. */
  request(socket: FakeSocket, { isKnown = true, follows = false } = {}): () => void {
    const response = new EventEmitter();
    const connection = this.#connections.requested(asSocket(socket), asResponse(response));
    assert.ok(connection !== undefined);
    connection.isKnown ||= isKnown;
    connection.follows ||= follows;
    return () => response.emit("close");
  }

  isRefused(socket: FakeSocket): boolean {
    return this.#connections.requested(asSocket(socket), asResponse(new EventEmitter())) === undefined;
  }
}

function asSocket(socket: unknown): Socket {
  return socket as Socket;
}

function asResponse(response: unknown): ServerResponse {
  return response as ServerResponse;
}

test("a connection over the limit ends a stranger's, however recent, before one that was allowed something", async () => {
  const page = new Page();
  const known = page.connect();
  page.request(known)();
  await page.clock.advance(1_000);
  const stranger = page.connect();
  page.request(stranger, { isKnown: false })();
  const next = page.connect();
  assert.deepEqual([known, stranger, next].map(({ isDestroyed }) => isDestroyed), [false, true, false]);
});

test("of those that were allowed something, the one that has done nothing for longest goes", async () => {
  const page = new Page();
  const [one, other] = [page.connect(), page.connect()];
  page.request(other)();
  await page.clock.advance(1);
  page.request(one)();
  page.connect();
  assert.deepEqual([one.isDestroyed, other.isDestroyed], [false, true]);
});

test("one that follows is never ended, nor is one whose answer is under way: the next one is told and closed", async () => {
  const page = new Page();
  const [follower, asking] = [page.connect(), page.connect()];
  page.request(follower, { follows: true });
  const answer = page.request(asking);
  const refused = page.connect();
  assert.match(refused.text, /^HTTP\/1\.1 503 Service Unavailable\r\nConnection: close\r\n/);
  assert.equal(page.isRefused(refused), true);
  await page.clock.advance(100);
  assert.deepEqual([follower, asking, refused].map(({ isDestroyed }) => isDestroyed), [false, false, true]);
  assert.equal(page.clock.timers, 0);
  answer();
  page.connect();
  assert.deepEqual([follower.isDestroyed, asking.isDestroyed], [false, true]);
});

test("one that does not read its answer for 10 s goes too, but not one that follows", async () => {
  const page = new Page();
  const [follower, deaf] = [page.connect(), page.connect()];
  page.request(follower, { follows: true });
  page.request(deaf);
  await page.clock.advance(10_001);
  const next = page.connect();
  assert.deepEqual([follower, deaf, next].map(({ isDestroyed }) => isDestroyed), [false, true, false]);
});

test("one that ends makes room, and of those that find none 16 at most are kept for their last words", () => {
  const page = new Page();
  const followers = [page.connect(), page.connect()];
  for (const each of followers) page.request(each, { follows: true });
  const refused = Array.from({ length: 18 }, () => page.connect());
  assert.deepEqual(refused.map(({ isDestroyed }) => isDestroyed), [true, true, ...Array<boolean>(16).fill(false)]);
  followers[0]?.destroy();
  const next = page.connect();
  assert.deepEqual([next.text, page.isRefused(next)], ["", false]);
});

test("a connection that the system refuses to hand over ends nobody", () => {
  const server = pageServer(
    () => assert.fail(),
    { paths: new Map(), open: new Set() },
    new Connections(2, new ManualClock()),
  );
  for (const code of ["EMFILE", "ECONNABORTED"]) {
    assert.ok(server.emit("error", Object.assign(new Error(code), { code })));
  }
});

test("with 256 open files, strangers at the page take no module from the broker, nor the page from those who look", () =>
  inSandbox(async (sandbox) => {
    const args = ["run", brokerConfig, "--page", "127.0.0.1:0"];
    const broker = await sandbox.broker(args, { openFiles: 256 });
    const url = new URL(pageOf(broker));
    const sockets: Socket[] = [];
    const connect = async (text = "") => {
      const socket = createConnection(Number(url.port), url.hostname);
      sockets.push(socket);
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(text);
      return socket;
    };
    try {
      const looker = await connect(`GET /events HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
      await once(looker, "data");
      let closed = 0;
      for (let number = 0; number < 300; number++) {
        // Some say nothing, some half of something.
        const socket = await connect(number % 2 === 0 ? "" : "GET / HT");
        socket.resume().once("close", () => closed++);
      }
      while (closed < 300 - 63) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal((await sandbox.run(["restart"])).code, 0);
      assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
      assert.equal(looker.destroyed, false);
      // The page looks at the modules once a second, and may have seen the restart only.
      const health = async () => (await fetch(new URL("healthz", url))).status;
      for (let tries = 0; tries < 300 && await health() !== 200; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.equal(await health(), 200);
      assert.equal((await sandbox.run(["stop"])).code, 0);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  }));
