import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { block, gone, receive, runtime, succeeded, sweep, withStarted } from "./started.ts";

test("Channel keeps the order of writes of all sizes, in both directions", () =>
  withStarted({ mode: "echo" }, async (process, channel) => {
    const sent: Uint8Array[] = [];
    const received = receive(channel);
    for (let i = 0; i < 400; i++) {
      const bytes = new Uint8Array(i % 20 === 0 ? 200_000 : i).fill(i % 251);
      sent.push(bytes);
      channel.write(bytes);
    }
    const all = Buffer.concat(sent);
    await received.until(({ bytes }) => bytes === all.length);
    assert.ok(Buffer.concat(received.chunks).equals(all));
    channel.close();
    await received.end;
    assert.deepEqual(received.closed, [undefined]);
    assert.deepEqual(await process.exited, succeeded);
  }));

test("Channel.unsentBytes falls to zero with one `drained` when the other side reads", () =>
  withStarted({ mode: "echo" }, async (_process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(4_000_000));
    const atFirst = channel.unsentBytes;
    assert.ok(atFirst > 1_000_000 && atFirst <= 4_000_000, String(atFirst));
    await received.until(({ drained }) => drained > 0);
    assert.equal(channel.unsentBytes, 0);
    await received.until(({ bytes }) => bytes === 4_000_000);
    assert.equal(received.drained, 1);
  }));

test("Channel.unsentBytes stays up while the other side does not read", () =>
  withStarted({ mode: "deaf", env: { SIZE: "60000" } }, async (process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(4_000_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(channel.unsentBytes > 1_000_000);
    assert.equal(received.drained, 0);
    process.kill("SIGKILL");
    await received.end;
    assert.equal(received.closed.length, 1);
    assert.equal(channel.unsentBytes, 0);
  }));

test("Channel.close() flushes what was written before it and drops what comes after", () =>
  withStarted({ mode: "echo" }, async (_process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(1_000_000).fill(1));
    channel.close();
    channel.write(new Uint8Array(10).fill(2));
    channel.close();
    await received.end;
    assert.equal(received.closed.length, 1);
    assert.ok(received.chunks.every((chunk) => chunk.every((byte) => byte === 1)));
  }));

test("Channel delivers every byte that a process sent before it ended, then `closed`", () =>
  withStarted({ mode: "last-words", env: { SIZE: "3000000" } }, async (process, channel) => {
    const received = receive(channel);
    await received.end;
    assert.equal(received.bytes, 3_000_000);
    assert.deepEqual(received.closed, [undefined]);
    assert.deepEqual(await process.exited, succeeded);
  }));

test("Channel opened after the process ended delivers every byte", () =>
  withStarted({ mode: "last-words", env: { SIZE: "100000" } }, async (process, channel) => {
    await process.exited;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const received = receive(channel);
    assert.equal(received.bytes, 0);
    await received.end;
    assert.equal(received.bytes, 100_000);
    assert.equal(received.closed.length, 1);
  }));

test("Channel delivers what had arrived when a write fails because the process ended", () =>
  withStarted({ mode: "last-words", env: { SIZE: "150000" } }, async (_process, channel) => {
    const received = receive(channel);
    await received.until(({ bytes }) => bytes > 0);
    block(500);
    for (let i = 0; i < 10; i++) channel.write(new Uint8Array(1000));
    await received.end;
    assert.equal(received.bytes, 150_000);
    assert.equal(received.closed.length, 1);
    assert.equal(channel.unsentBytes, 0);
    channel.write(new Uint8Array(1000));
    channel.close();
    assert.equal(channel.unsentBytes, 0);
  }));

test("Channel is closed once the other side has ended its direction", () =>
  withStarted({ mode: "half-close" }, async (process, channel) => {
    const received = receive(channel);
    await received.end;
    assert.equal(received.bytes, 3);
    assert.deepEqual(received.closed, [undefined]);
    assert.equal(process.kill("SIGKILL"), true);
  }));

test("Channel is closed when the process is killed, with its queue dropped", () =>
  withStarted({ mode: "echo" }, async (process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 1);
    process.kill("SIGSTOP");
    channel.write(new Uint8Array(4_000_000));
    process.kill("SIGKILL");
    await received.end;
    assert.equal(received.closed.length, 1);
    assert.equal(channel.unsentBytes, 0);
  }));

test("Channel is closed after the end of a process whose grandchild holds the descriptors", () =>
  withStarted({ mode: "grandchild" }, async (process, channel) => {
    const received = receive(channel);
    await received.until(() => received.text().endsWith("\n"));
    try {
      channel.write(new Uint8Array(1));
      assert.deepEqual(await process.exited, { code: 5, signal: null });
      await received.end;
      assert.equal(received.closed.length, 1);
    } finally {
      sweep(Number(received.text()));
    }
  }));

test("Channel is closed some time after close(), though the other side never answers", () =>
  withStarted({ mode: "echo" }, async (process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 1);
    process.kill("SIGSTOP");
    channel.close();
    await received.end;
    assert.deepEqual(received.closed, [undefined]);
  }));

test("Channel of a new process is closed when its parent process is killed", () =>
  withStarted({ mode: "parent" }, async (process, channel) => {
    const received = receive(channel);
    await received.until(() => received.text().endsWith("\n"));
    const grandchild = Number(received.text());
    try {
      process.kill("SIGKILL");
      await gone(grandchild);
    } finally {
      sweep(grandchild);
    }
  }));

test("Channel hands out each write of a growing size before the next", () =>
  withStarted({ mode: "echo" }, async (_process, channel) => {
    const received = receive(channel);
    for (let i = 0; i < 100; i++) {
      const before = received.bytes;
      channel.write(new Uint8Array(1 + 700 * i).fill(i));
      await received.until(({ bytes }) => bytes === before + 1 + 700 * i);
    }
    const seen = Buffer.concat(received.chunks);
    for (let i = 0, at = 0; i < 100; at += 1 + 700 * i, i++) {
      assert.equal(seen[at], i);
      assert.equal(seen[at + 700 * i], i);
    }
  }));

test("parentChannel() refuses an address of another runtime", async () => {
  await assert.rejects(runtime.parentChannel("carrier pigeon"), /address "carrier pigeon" is not/);
});
