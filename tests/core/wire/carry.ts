import { type CodecName, joinBytes, type Packed } from "../../../src/core/wire/frame.ts";
import { Codec, type EncodedValue } from "../../../src/core/wire/codec.ts";
import { packAnswers, readAnswers } from "../../../src/core/wire/columns.ts";

/** The body of a frame. */
export function bytesOf({ body }: Packed): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : joinBytes(body);
}

/** A value in JSON with bytes beside it. */
export function encodeValue(value: unknown, name: string): EncodedValue {
  return new Codec("json").encode(value, name);
}

/** A result as the other side gets it. */
export function carry(value: unknown, name: CodecName | Codec = "rich"): unknown {
  const codec = typeof name === "string" ? new Codec(name) : name;
  const packed = packAnswers([{ id: 1, attempt: 1, kind: 0, value: codec.encode(value, "v") }]);
  return readAnswers(packed.flags, bytesOf(packed)).values[0];
}

/** Of which its own fields that are not private can be sent. */
export class Point {
  x = 1;
  #hidden = 2;
  get sum(): number {
    return this.x + this.#hidden;
  }
}

export function deepList(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}
