// What no caller can beat: frames of 64 bytes a call over brokkr's own channel with its rule of early writes, and nothing else.
// No codec, no deadline, no retry, no check: the child sends back each chunk as it came.
import process from "node:process";
import { measure } from "./load.mjs";

const isDeno = "Deno" in globalThis;
const { detectRuntime } = await import(isDeno ? "../../src/runtime/detect.ts" : "../../npm/src/runtime/detect.js");
const runtime = await detectRuntime();
const CALL_BYTES = 56;
const MIN_EARLY = 8;
const MAX_EARLY = 128;

const address = process.env.BENCH_CHANNEL;
if (address !== undefined) {
  const channel = await runtime.parentChannel(address);
  channel.open({
    data: (chunk) => channel.write(new Uint8Array(chunk)),
    drained() {},
    closed: () => process.exit(0),
  });
} else {
  const child = await runtime.spawnProgram({
    env: (channel) => ({ ...process.env, BENCH_CHANNEL: channel }),
    group: false,
    program: import.meta.url,
  });
  const channel = await child.channel;
  let waiting = 0;
  const ring = new Array(65_536).fill(undefined);
  let nextId = 0;
  let answered = 0;
  let bytes = 0;
  let held = 0;
  let buffer = new Uint8Array(65_536);
  let from = 0;
  let end = 0;
  let scheduled = false;
  channel.open({
    data(chunk) {
      bytes += chunk.length;
      for (; bytes >= CALL_BYTES; bytes -= CALL_BYTES) {
        waiting--;
        const { resolve, value } = ring[answered++ & 65_535];
        resolve(value);
      }
    },
    drained() {},
    closed() {},
  });
  const flush = () => {
    if (end > from) channel.write(buffer.subarray(from, end));
    from = end;
    held = 0;
  };
  const call = (value) => {
    if (value?.cpu === true) return cpuOf(child.pid);
    return new Promise((resolve) => {
      ring[nextId++ & 65_535] = { resolve, value };
      waiting++;
      if (buffer.length - end < CALL_BYTES) {
        flush();
        buffer = new Uint8Array(65_536);
        from = end = 0;
      }
      end += CALL_BYTES;
      held++;
      if (held >= MIN_EARLY && held >= Math.min(MAX_EARLY, waiting >> 2)) flush();
      else if (!scheduled) {
        scheduled = true;
        Promise.resolve().then(() => Promise.resolve()).then(() => {
          scheduled = false;
          flush();
        });
      }
    });
  };
  await measure(call);
  process.exit(0);
}

async function cpuOf(pid) {
  const { readFile } = await import("node:fs/promises");
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1].split(" ");
  return { cpu: (Number(fields[11]) + Number(fields[12])) * 10_000 };
}
