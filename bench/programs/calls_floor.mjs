// What no caller can beat: brokkr's own channel and its rule of early writes, and nothing else. A call is 56 bytes without meaning,
// about what one takes in brokkr's frames; the child sends back each chunk as it came. No codec, deadline, retry, limit or check.
import process from "node:process";
import { cpuOf, FlushPolicy, measurePair } from "./pair.mjs";

await measurePair(import.meta.url, { answer: sendBack, caller });

function sendBack(channel) {
  channel.open({
    data: (chunk) => channel.write(new Uint8Array(chunk)),
    drained() {},
    closed: () => process.exit(0),
  });
  return new Promise(() => {});
}

/** Answers come in the order of the calls, so who is next is known by how many bytes came. */
function caller(channel, pid) {
  const CALL_BYTES = 56;
  const SLAB_BYTES = 65_536;
  let waiting = [];
  let next = 0;
  let received = 0;
  let slab = new Uint8Array(SLAB_BYTES);
  let start = 0;
  let end = 0;
  let scheduled = false;
  const early = new FlushPolicy();
  channel.open({
    data(chunk) {
      received += chunk.length;
      while (next < waiting.length && received >= waiting[next].bytes) {
        const { bytes, value, resolve } = waiting[next++];
        received -= bytes;
        resolve(value);
      }
      if (next > 4096) {
        waiting = waiting.slice(next);
        next = 0;
      }
    },
    drained() {},
    closed() {},
  });

  return (value) => {
    if (value?.cpu === true) return cpuOf(pid);
    return new Promise((resolve) => {
      const large = value instanceof Uint8Array;
      waiting.push({ bytes: large ? value.length : CALL_BYTES, value, resolve });
      if (large) return channel.write(value);
      if (slab.length - end < CALL_BYTES) renew();
      end += CALL_BYTES;
      const held = (end - start) / CALL_BYTES;
      if (early.isDue(held)) return flush();
      if (!scheduled) schedule();
    });
  };

  function flush() {
    if (end === start) return;
    early.left(waiting.length - next);
    channel.write(slab.subarray(start, end));
    start = end;
  }

  function renew() {
    flush();
    slab = new Uint8Array(SLAB_BYTES);
    start = end = 0;
  }

  function schedule() {
    scheduled = true;
    Promise.resolve().then(() => Promise.resolve()).then(() => {
      scheduled = false;
      if (end > start) early.endTurn();
      flush();
    });
  }
}
