import { readJson } from "../../../src/core/wire/frame.ts";
import { Link, type LinkOptions } from "../../../src/core/wire/link.ts";
import { ManualClock } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";

/** A link whose other end is bare: it writes bytes and sees bytes. */
export function bareLink(frameLimit = 1000, more: Pick<LinkOptions, "leastWrite"> = {}) {
  const clock = new ManualClock();
  const [end, peer] = MemoryChannel.pair();
  const seen = { frames: [] as string[], refused: [] as string[], closed: [] as (string | null)[], drained: 0 };
  const link = new Link(end, clock, {
    frameLimit,
    ...more,
    events: {
      frame: (type, _flags, body) => void seen.frames.push(`${type} ${JSON.stringify(readJson(body))}`),
      refused: (reason, excerpt) => void seen.refused.push(`${reason} | ${excerpt}`),
      drained: () => void seen.drained++,
      closed: (reason) => void seen.closed.push(reason),
    },
  });
  return { clock, end, peer, link, seen, receive: (bytes: Uint8Array) => end.deliver(bytes) };
}
