// What brokkr's own channel gives with no guarantee at all: the calls of a turn as one list, written and read by what the runtime has,
// JSON or its own serialization. No deadline, retry, limit, check or error.
import process from "node:process";
import { echo, measure } from "./load.mjs";

const HEAD_BYTES = 4;
/** Of the calls in flight, so many leave before the turn is over, so that both processes work at the same time. */
const PART = 1 / 4;
const LEAST = 4;

const isDeno = "Deno" in globalThis;
const detect = isDeno ? "../../src/runtime/detect.ts" : "../../build/bench/src/runtime/detect.js";
const runtime = await (await import(detect)).detectRuntime();
const { write, read } = await (process.env.BENCH_SERIALIZATION === "native" ? nativeCodec() : jsonCodec());
const address = process.env.BENCH_CHANNEL;
if (address === undefined) {
  const child = await runtime.spawnProgram({
    env: (channel) => ({ ...process.env, BENCH_CHANNEL: channel }),
    group: false,
    program: import.meta.url,
  });
  await measure(caller(await child.channel));
  process.exit(0);
} else answer(await runtime.parentChannel(address));

function answer(channel) {
  const handle = ([ids, values]) => channel.write(framed([ids, values.map(echo)]));
  channel.open({ data: frames(handle), drained() {}, closed: () => process.exit(0) });
}

function caller(channel) {
  const waiting = new Map();
  let nextId = 0;
  let [ids, values] = [[], []];
  const settle = ([ids, values]) => {
    for (let index = 0; index < ids.length; index++) {
      waiting.get(ids[index])(values[index]);
      waiting.delete(ids[index]);
    }
  };
  const flush = () => {
    if (ids.length > 0) channel.write(framed([ids, values]));
    [ids, values] = [[], []];
  };
  channel.open({ data: frames(settle), drained() {}, closed() {} });
  return (value) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting.set(id, resolve);
      values.push(value);
      if (ids.push(id) === 1) Promise.resolve().then(() => Promise.resolve()).then(flush);
      else if (ids.length >= Math.max(LEAST, waiting.size * PART)) flush();
    });
}

function framed(batch) {
  const frame = write(batch);
  new DataView(frame.buffer, frame.byteOffset).setUint32(0, frame.length - HEAD_BYTES);
  return frame;
}

/** Gives each frame's batch to `got`. */
function frames(got) {
  let held = new Uint8Array(0);
  let length = 0;
  return (chunk) => {
    if (length + chunk.length > held.length) {
      const more = new Uint8Array(2 * (length + chunk.length));
      more.set(held.subarray(0, length));
      held = more;
    }
    held.set(chunk, length);
    length += chunk.length;
    const view = new DataView(held.buffer);
    let at = 0;
    while (length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + view.getUint32(at);
      if (end > length) break;
      got(read(held.subarray(at + HEAD_BYTES, end)));
      at = end;
    }
    held.copyWithin(0, at, length);
    length -= at;
  };
}

function jsonCodec() {
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const { Buffer } = globalThis;
  if (isDeno) {
    return {
      write: (batch) => withHead(encoder.encode(JSON.stringify(batch))),
      read: (bytes) => JSON.parse(decoder.decode(bytes)),
    };
  }
  return {
    write(batch) {
      const text = JSON.stringify(batch);
      const frame = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(text));
      frame.write(text, HEAD_BYTES);
      return frame;
    },
    read: (bytes) => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()),
  };
}

async function nativeCodec() {
  if ("Bun" in globalThis) {
    const { deserialize, serialize } = await import("bun:jsc");
    return {
      write: (batch) => withHead(new Uint8Array(serialize(batch))),
      read: (bytes) => deserialize(bytes.slice().buffer),
    };
  }
  const { deserialize, serialize } = await import("node:v8");
  // What is read may point into the bytes.
  return { write: (batch) => withHead(serialize(batch)), read: (bytes) => deserialize(bytes.slice()) };
}

function withHead(body) {
  const frame = new Uint8Array(HEAD_BYTES + body.length);
  frame.set(body, HEAD_BYTES);
  return frame;
}
