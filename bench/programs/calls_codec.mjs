// The floor with brokkr's frames and codec: what is left to what stands between this and brokkr is its guarantees. Every value is
// written and read four times, as in a call; no deadline, retry, limit, counter or line.
import process from "node:process";
import { echo } from "./load.mjs";
import { load, measurePair, runtime } from "./pair.mjs";

const { BodyReader } = await load("core/frame/body_reader");
const { newCodec } = await load("core/frame/codec");
const { FrameType } = await load("core/frame/header");
const { Link } = await load("core/frame/link");

await measurePair(import.meta.url, { answer, caller });

function linkTo(channel, frame) {
  const events = { frame, refused() {}, drained() {}, closed: () => process.exit(0) };
  return new Link(channel, runtime.clock, { frameLimit: 16 * 1024 * 1024, events });
}

function sender(link, type) {
  const stream = { told: 0 };
  const codec = newCodec("compact");
  return {
    encode: (value) => codec.encode(value, "value"),
    send(pack) {
      const before = codec.before(stream);
      if (before !== undefined) link.sendParts(type, before);
      link.sendParts(type, pack(codec));
    },
  };
}

function answer(channel) {
  const reader = new BodyReader();
  const link = linkTo(channel, (_type, flags, body) => {
    const frame = reader.calls(flags, body);
    if (frame === undefined) return;
    const answers = frame.calls.map(({ id, params }) => ({
      id,
      attempt: 1,
      kind: 0,
      value: out.encode(echo(params[0])),
    }));
    out.send((codec) => codec.answers(answers));
    link.flush();
  });
  const out = sender(link, FrameType.answers);
  return new Promise(() => {});
}

function caller(channel) {
  const reader = new BodyReader();
  // A ring: a Map of what is out costs more than all else here, garbage collection included.
  const RING = 4096;
  const waiting = new Array(RING).fill(undefined);
  let out = 0;
  let calls = [];
  let nextId = 1;
  const link = linkTo(channel, (_type, flags, body) => {
    const { ids, values } = reader.answers(flags, body);
    for (let index = 0; index < ids.length; index++) {
      const place = ids[index] % RING;
      waiting[place](values[index]);
      waiting[place] = undefined;
      out--;
    }
  });
  const sends = sender(link, FrameType.calls);
  const pack = () => {
    const batch = calls;
    calls = [];
    if (batch.length > 0) sends.send((codec) => codec.calls(batch, nextId - out));
  };
  return (value) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting[id % RING] = resolve;
      out++;
      calls.push({ id, attempt: 1, command: "echo", params: sends.encode([value]), options: null });
      if (calls.length === 1) link.schedule(pack);
      if (calls.length >= 8 && calls.length >= Math.min(256, out >> 1)) link.flush();
    });
}
