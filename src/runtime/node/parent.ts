import { Socket, type SocketConstructorOpts } from "node:net";
import { type Onread, readingInto } from "./reading.ts";
import type { Channel } from "../runtime.ts";
import { StreamChannel } from "../posix/stream_channel.ts";

// A descriptor for each direction: a failed write destroys a socket of Node with what arrived on it still unread.
export const CHILD_READS = 4;
export const CHILD_WRITES = 5;
export const ADDRESS = `fd:${CHILD_READS},${CHILD_WRITES}`;
/** How long a channel that this side ended waits for the other side's end. */
export const LINGER_MS = 1_000;

/** The child's side of the channel that `node_spawn.ts` makes. */
// deno-lint-ignore require-await
export async function parentChannel(address: string): Promise<Channel> {
  const [, reads, writes] = /^fd:(\d+),(\d+)$/.exec(address) ?? [];
  if (reads === undefined || writes === undefined) {
    throw new Error(
      `Cannot open the channel to the broker: address "${address}" is not "${ADDRESS}", start both with the same runtime`,
    );
  }
  const reading: SocketConstructorOpts & Onread = {
    fd: Number(reads),
    readable: true,
    writable: false,
    ...readingInto((chunk) => channel.received(chunk)),
  };
  const input = new Socket(reading);
  const output = new Socket({ fd: Number(writes), readable: false, writable: true });
  const channel = new StreamChannel(input, output, { lingerMs: LINGER_MS });
  return channel;
}
