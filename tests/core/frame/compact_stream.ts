import { BodyReader } from "../../../src/core/frame/body_reader.ts";
import { joinBytes } from "../../../src/core/bytes.ts";
import { CompactCodec } from "../../../src/core/frame/compact_codec.ts";
import { CompactReader } from "../../../src/core/frame/compact_reader.ts";

/** Both ends of one direction of a stream. */
export class CompactStream {
  readonly codec = new CompactCodec();
  readonly reader = new BodyReader();
  readonly #state = { told: 0 };

  /** A result as the other side gets it. */
  carry(value: unknown): unknown {
    const answers = [{ id: 1, attempt: 1, kind: 0, value: this.codec.encode(value, "v") }];
    const before = this.codec.before(this.#state);
    if (before !== undefined) this.reader.answers(before.flags, joinBytes(before.parts));
    const { flags, parts } = this.codec.answers(answers);
    return this.reader.answers(flags, joinBytes(parts))[0]?.value;
  }
}

/** The MessagePack of one value. */
export function bytesOf(value: unknown, codec = new CompactCodec()): Uint8Array {
  const { buffer, start, bytes } = codec.encode(value, "v");
  return buffer.slice(start, start + bytes);
}

/** The one value that these bytes are. @throws {BodyError} */
export function read(bytes: Uint8Array): unknown {
  const reader = new CompactReader();
  reader.open(bytes);
  const value = reader.next();
  reader.close();
  return value;
}
