// brokkr's frames and codec on a bare channel.
import process from "node:process";
import { FlushPolicy, load, runtime } from "./pair.mjs";

export const { BodyReader } = await load("core/wire/codec");
export const { FrameType } = await load("core/wire/frame");
const { newCodec } = await load("core/wire/codec");
const { Link } = await load("core/wire/link");

/** Room for what is out, by id: a Map of it costs more than all else here, garbage collection included. */
export const RING = 4096;

export function linkTo(channel, frame) {
  const events = { frame, refused() {}, drained() {}, closed: () => process.exit(0) };
  return new Link(channel, runtime.clock, { frameLimit: 16 * 1024 * 1024, events });
}

export function sender(link, type) {
  const stream = { sentCount: 0 };
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

/** Calls gather for a frame and leave as in brokkr: `pack` gets those of each frame, `out` says how many wait for answers. */
export function gatherer(link, { out, pack }) {
  const early = new FlushPolicy();
  let calls = [];
  const leave = () => {
    const batch = calls;
    calls = [];
    early.left(out());
    pack(batch);
  };
  const endTurn = () => {
    if (calls.length === 0) return;
    early.endTurn();
    leave();
  };
  return (call) => {
    if (calls.push(call) === 1) link.schedule(endTurn);
    if (!early.isDue(calls.length)) return;
    leave();
    link.flush();
  };
}
