import { HEADER_BYTES, writeHeader } from "../../src/core/wire/frame.ts";

/** The bytes of one frame. */
export function frame(type: number, body: string | Uint8Array, flags = 0): Uint8Array {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const whole = new Uint8Array(HEADER_BYTES + bytes.length);
  writeHeader(whole, 0, { type, flags, length: bytes.length });
  whole.set(bytes, HEADER_BYTES);
  return whole;
}

/** A header alone, of any declared length. */
export function header(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(bytes, 0, { type, flags: 0, length });
  return bytes;
}
