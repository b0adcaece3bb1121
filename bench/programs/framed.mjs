// brokkr's frames and codec on a bare channel.
import process from "node:process";
import { load, runtime } from "./pair.mjs";

export const { BodyReader } = await load("core/frame/body_reader");
export const { FrameType } = await load("core/frame/header");
const { newCodec } = await load("core/frame/codec");
const { Link } = await load("core/frame/link");

/** Room for what is out, by id: a Map of it costs more than all else here, garbage collection included. */
export const RING = 4096;

export function linkTo(channel, frame) {
  const events = { frame, refused() {}, drained() {}, closed: () => process.exit(0) };
  return new Link(channel, runtime.clock, { frameLimit: 16 * 1024 * 1024, events });
}

export function sender(link, type) {
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
