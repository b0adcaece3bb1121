import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process, { umask } from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isLive } from "../../src/core/control/name_lock.ts";
import { boundPath } from "../../src/runtime/posix/socket_path.ts";
import type { Channel } from "../../src/runtime/runtime.ts";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";
import { fixtureUrl, receive, runtime, within } from "./started.ts";

const deafListener = fileURLToPath(fixtureUrl("deaf_listener"));

test("listen() serves several connections at once", () =>
  inFolder(async (path) => {
    const listener = await runtime.listen(path, echo);
    const channels = await Promise.all([1, 2, 3].map(() => runtime.connect(path)));
    const received = channels.map(receive);
    channels.forEach((channel, i) => channel.write(new Uint8Array(300_000).fill(i)));
    await Promise.all(received.map(({ until }) => until(({ bytes }) => bytes === 300_000)));
    received.forEach(({ chunks }, i) => assert.ok(chunks.every((chunk) => chunk.every((byte) => byte === i))));
    channels.forEach((channel) => channel.close());
    await Promise.all(received.map(({ end }) => end));
    assert.deepEqual(received.map(({ closed }) => closed), [[undefined], [undefined], [undefined]]);
    listener.close();
  }));

test("listen() makes a socket that only its owner may open, and leaves the mask alone", () =>
  inFolder(async (path) => {
    const mask = umask();
    const listener = await runtime.listen(path, echo);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(umask(), mask);
    listener.close();
  }));

test("Listener.close() removes the socket and keeps what is connected", () =>
  inFolder(async (path) => {
    const listener = await runtime.listen(path, echo);
    const channel = await runtime.connect(path);
    const received = receive(channel);
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 1);
    listener.close();
    listener.close();
    assert.equal(existsSync(path), false);
    await assert.rejects(runtime.connect(path));
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 2);
    channel.close();
    await received.end;
  }));

test("abort() ends a channel at once, whatever is unsent and whether the other side ends, and what was sent arrives", () =>
  inFolder(async (path) => {
    let near: Channel | undefined;
    const listener = await runtime.listen(path, (channel) => near = channel);
    // It reads nothing, and so never sees the end.
    const socket = createConnection({ path, allowHalfOpen: true });
    await once(socket, "connect");
    while (near === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    const received = receive(near);
    near.write(new TextEncoder().encode("why"));
    while (near.unsentBytes > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    near.write(new Uint8Array(8_000_000));
    near.abort();
    near.abort();
    near.write(new Uint8Array(1));
    await within(received.end);
    assert.deepEqual([received.closed, near.unsentBytes], [[undefined], 0]);
    const [chunk] = await once(socket, "data");
    assert.equal(String(chunk).slice(0, 3), "why");
    socket.destroy();
    listener.close();
  }));

test("listen() never takes the path of another listener", () =>
  inFolder(async (path) => {
    const listener = await runtime.listen(path, echo);
    await assert.rejects(runtime.listen(path, echo), new RegExp(`Cannot listen on "${path}"`));
    const channel = await runtime.connect(path);
    const received = receive(channel);
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 1);
    channel.close();
    listener.close();
  }));

test("listen() on the path of a listener that was just closed is served", () =>
  inFolder(async (path) => {
    const first = await runtime.listen(path, (channel) => channel.close());
    first.close();
    const second = await runtime.listen(path, echo);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const channel = await runtime.connect(path);
    const received = receive(channel);
    channel.write(new Uint8Array(5));
    await received.until(({ bytes }) => bytes === 5);
    channel.close();
    await received.end;
    second.close();
    assert.deepEqual(readdirSync(dirname(path)), []);
  }));

test("connect() is refused where nobody listens", () =>
  inFolder(async (path) => {
    await assert.rejects(runtime.connect(path));
  }));

test("a listener that takes no more connections is live, wherever it was bound; one that has died is not", () =>
  inFolder(async (path) => {
    await whileFull(path, path, async () => assert.equal(await isLive(runtime, path), true));
    assert.equal(await isLive(runtime, path), false);
    rmSync(path);
    const other = `${path}-2`;
    await whileFull(boundPath(other, process.pid), other, async () => {
      assert.equal(await isLive(runtime, other), true);
      // What a dead listener of another name has left beside it.
      await whileFull(boundPath(path, process.pid), path, async () => {});
      assert.equal(await isLive(runtime, path), false);
    });
  }));

test("a path under which a listener is bound is told by the one that it serves", () => {
  assert.equal(boundPath("/run/brokkr/a.sock", 4_194_304), boundPath("/run/brokkr/a.sock", 4_194_304));
  assert.notEqual(boundPath("/run/brokkr/a.sock", 7), boundPath("/run/brokkr/b.sock", 7));
  assert.notEqual(boundPath("/run/brokkr/a.sock", 7), boundPath("/run/brokkr/a.sock", 8));
  assert.match(boundPath(`/run/brokkr/${"ö".repeat(90)}.sock`, 4_194_304), /^\/run\/brokkr\/\.[0-9a-z]{8}$/);
});

/** Runs `body` while a process listens at `path`, bound to `bound`, whose queue of connections is full. */
async function whileFull(bound: string, path: string, body: () => Promise<void>): Promise<void> {
  const listener = spawn(process.execPath, [...RUN_FLAGS, deafListener, bound, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const waiting: Socket[] = [];
  try {
    await once(listener.stdout, "data");
    let isFull = false;
    while (!isFull) {
      const socket = createConnection({ path });
      waiting.push(socket);
      isFull = await once(socket, "connect").then(() => false, () => true);
    }
    await body();
  } finally {
    listener.kill("SIGKILL");
    for (const socket of waiting) socket.on("error", () => {}).destroy();
    await once(listener, "exit");
  }
}

function echo(channel: Channel): void {
  channel.open({ data: (chunk) => channel.write(Uint8Array.from(chunk)), drained() {}, closed() {} });
}

async function inFolder(body: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-"));
  try {
    await within(body(join(folder, "socket")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
