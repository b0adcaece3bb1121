// What no codec can beat: brokkr's channel and its rule of early writes, with code that is written by hand for the one object that is
// sent. Keys never travel, no type is looked at, nothing is checked; answers come in the order of the calls. Each value is written and
// read twice, as in a call; 1 MiB of bytes is put together into new memory on each side, as whoever gets it needs it.
import process from "node:process";
import { echo } from "./load.mjs";
import { cpuOf, FlushPolicy, isDeno, measurePair } from "./pair.mjs";

const utf8 = new TextDecoder();

await measurePair(import.meta.url, { answer: answerAll, caller });

function answerAll(channel) {
  const out = outbox(channel);
  channel.open({
    data: inbox((value) => out.put(echo(value)), () => out.flush()),
    drained() {},
    closed: () => process.exit(0),
  });
}

function caller(channel, pid) {
  const waiting = [];
  let next = 0;
  let last = 0;
  let scheduled = false;
  const early = new FlushPolicy();
  const out = outbox(channel);
  const read = inbox((value) => {
    const resolve = waiting[next & 4095];
    next++;
    resolve(value);
  }, () => {});
  channel.open({ data: read, drained() {}, closed() {} });
  return (value) => {
    if (value?.cpu === true) return cpuOf(pid);
    return new Promise((resolve) => {
      waiting[last & 4095] = resolve;
      last++;
      const held = out.put(value);
      if (early.isDue(held)) {
        early.left(last - next);
        return out.flush();
      }
      if (scheduled) return;
      scheduled = true;
      Promise.resolve().then(() => Promise.resolve()).then(() => {
        scheduled = false;
        if (out.flush()) early.endTurn();
        early.left(last - next);
      });
    });
  };
}

/** A record is a length and its fields; one of length 0 is followed by 4 bytes of length and that many bytes. */
function outbox(channel) {
  const SLAB_BYTES = 65_536;
  let slab = new Uint8Array(SLAB_BYTES);
  let view = new DataView(slab.buffer);
  let start = 0;
  let end = 0;
  let held = 0;
  return { put, flush };

  function put(value) {
    if (slab.length - end < 256) renew();
    if (value instanceof Uint8Array) {
      slab[end] = 0;
      view.setUint32(end + 1, value.length);
      end += 5;
      flush();
      channel.write(value);
      return 0;
    }
    const at = end;
    view.setInt32(at + 1, value.id);
    view.setFloat64(at + 5, value.value);
    end = at + 13;
    text(value.host);
    text(value.state);
    text(value.tags[0]);
    text(value.tags[1]);
    slab[at] = end - at;
    return ++held;
  }

  function text(text) {
    const { length } = text;
    slab[end++] = length;
    for (let index = 0; index < length; index++) slab[end + index] = text.charCodeAt(index);
    end += length;
  }

  function flush() {
    const isAny = end > start;
    if (isAny) channel.write(slab.subarray(start, end));
    start = end;
    held = 0;
    return isAny;
  }

  function renew() {
    flush();
    slab = new Uint8Array(SLAB_BYTES);
    view = new DataView(slab.buffer);
    start = end = 0;
  }
}

/** Gives each value to `got`, and calls `done` after those of one chunk. */
function inbox(got, done) {
  let left = new Uint8Array(0);
  let large;
  let filled = 0;
  return (chunk) => {
    let bytes = chunk;
    if (large !== undefined) bytes = fill(bytes);
    else if (left.length > 0) {
      bytes = new Uint8Array(left.length + chunk.length);
      bytes.set(left);
      bytes.set(chunk, left.length);
    }
    if (bytes.length > 0) read(bytes);
    done();
  };

  function fill(bytes) {
    const part = bytes.subarray(0, large.length - filled);
    large.set(part, filled);
    filled += part.length;
    if (filled < large.length) return bytes.subarray(bytes.length);
    const value = large;
    large = undefined;
    got(value);
    return bytes.subarray(part.length);
  }

  function read(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const isLarge = bytes[0] === 0;
    const all = isLarge ? "" : characters(bytes);
    let at = 0;
    for (; at < bytes.length; at += bytes[at]) {
      if (bytes[at] === 0) {
        if (bytes.length - at < 5) break;
        large = new Uint8Array(view.getUint32(at + 1));
        filled = 0;
        left = left.subarray(left.length);
        const rest = fill(bytes.subarray(at + 5));
        return rest.length > 0 ? read(rest) : undefined;
      }
      if (bytes.length - at < bytes[at]) break;
      let from = at + 13;
      const text = () => {
        const to = from + 1 + bytes[from];
        const cut = all.substring(from + 1, to);
        from = to;
        return cut;
      };
      got({
        id: view.getInt32(at + 1),
        host: text(),
        state: text(),
        tags: [text(), text()],
        value: view.getFloat64(at + 5),
      });
    }
    left = bytes.slice(at);
  }
}

/** A character for each byte. */
function characters(bytes) {
  if (!isDeno) return bytes.latin1Slice?.(0, bytes.length) ?? utf8.decode(masked(bytes));
  return utf8.decode(masked(bytes));
}

function masked(bytes) {
  const copy = new Uint8Array((bytes.length + 3) & ~3);
  copy.set(bytes);
  const fours = new Int32Array(copy.buffer);
  for (let index = 0; index < fours.length; index++) fours[index] &= 0x7f7f7f7f;
  return copy.subarray(0, bytes.length);
}
