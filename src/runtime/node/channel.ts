import { Buffer } from "node:buffer";
import { Socket, type SocketConstructorOpts } from "node:net";
import { LINGER_MS, StreamChannel } from "../builtins/channel.ts";
import { process } from "../builtins/process.ts";
import type { Channel } from "../runtime.ts";

// A descriptor for each direction: a failed write destroys a socket of Node with what arrived on it still unread.
export const CHILD_READS = 3;
export const CHILD_WRITES = 4;
export const ADDRESS = `fd:${CHILD_READS},${CHILD_WRITES}`;

/** The variable by which Node keeps compiled code, and the name of brokkr's folder for it. */
export const COMPILE_CACHE = "NODE_COMPILE_CACHE";
export const COMPILE_CACHE_FOLDER = "brokkr-compiled";

/** The child's side of the channel that `spawn.ts` makes. */
// deno-lint-ignore require-await
export async function parentChannel(address: string): Promise<Channel> {
  const [, reads, writes] = /^fd:(\d+),(\d+)$/.exec(address) ?? [];
  if (reads === undefined || writes === undefined) {
    throw new Error(
      `Cannot open the channel to the broker: address "${address}" is not "${ADDRESS}", start both with the same runtime`,
    );
  }
  // It was for the start of this process, not for what the module starts.
  if (process.env[COMPILE_CACHE]?.includes(`/${COMPILE_CACHE_FOLDER}`)) delete process.env[COMPILE_CACHE];
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

/** A socket of Node takes as much new memory for each chunk unless it is given some. */
const CHUNK_BYTES = 64 * 1024;

/** Types of Node 20 know this of sockets that connect only. */
export interface Onread {
  readonly onread: { readonly buffer: Uint8Array; callback(bytes: number, buffer: Uint8Array): boolean };
}

/** Of a socket that reads into the same memory again: `received` gets each chunk, and not the event `data`. */
export function readingInto(received: (chunk: Uint8Array) => void): Onread {
  return {
    onread: {
      buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES),
      callback(bytes, buffer) {
        received(buffer.subarray(0, bytes));
        return true;
      },
    },
  };
}
