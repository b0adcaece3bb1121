import { BodyReader } from "../../../src/core/wire/codec.ts";
import { CompactCodec } from "../../../src/core/wire/compact_codec.ts";
import { CompactReader } from "../../../src/core/wire/compact_reader.ts";
import { joinBytes } from "../../../src/core/wire/bytes.ts";

/** Both ends of one direction of a stream. */
export class CompactStream {
  readonly codec = new CompactCodec();
  readonly reader = new BodyReader();
  readonly #state = { sentCount: 0 };

  /** A result as the other side gets it. */
  carry(value: unknown): unknown {
    const answers = [{ id: 1, attempt: 1, kind: 0, value: this.codec.encode(value, "v") }];
    const before = this.codec.before(this.#state);
    if (before !== undefined) this.reader.answers(before.flags, joinBytes(before.parts));
    const { flags, parts } = this.codec.answers(answers);
    return this.reader.answers(flags, joinBytes(parts)).values[0];
  }
}

/** What a library that writes UTF-8 only can't carry. */
export function hasLoneSurrogate(value: unknown): boolean {
  return /\\ud[89a-f]/.test(JSON.stringify(value));
}

/** The MessagePack of one value. */
export function bytesOf(value: unknown, codec = new CompactCodec()): Uint8Array {
  const { buffer, start, bytes } = codec.encode(value, "v");
  return buffer.slice(start, start + bytes);
}

/** The one value that these bytes are. @param shapes what was told before, in the order of its numbers. @throws {BodyError} */
export function read(bytes: Uint8Array, shapes: readonly (readonly string[])[] = []): unknown {
  const reader = new CompactReader();
  if (!reader.shapes.learn(0, shapes.map((keys) => [...keys]))) {
    throw new TypeError("Cannot read: shapes that are none");
  }
  reader.open(bytes);
  const value = reader.next();
  reader.close();
  return value;
}
