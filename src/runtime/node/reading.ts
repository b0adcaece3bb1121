import { Buffer } from "node:buffer";

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
