/**
 * How values become bytes. JSON is what any language can speak; the compact one is MessagePack whose repeated keys travel once. The
 * hello says which ones a side can read, and each side writes the best that both can.
 *
 * @module
 */

import type { Span } from "./apart.ts";
import { type AnswerEntry, type CallEntry, packAnswers, packCalls, type Packed } from "./batch.ts";
import { CompactCodec } from "./compact_codec.ts";
import { encodeValue, type JsonText } from "./json_codec.ts";

/** `text` is JSON without bytes beside it, for programs that read nothing else. */
export type CodecName = "compact" | "json" | "text";

/** Those that a hello may offer, the best first. */
export const CODECS: readonly CodecName[] = ["compact", "json"];

/** A value as MessagePack, in memory that it shares with others and that nobody writes to again. */
export interface CompactBytes {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly start: number;
  readonly bytes: number;
  /** Where in it large texts and bytes stand, counted from its start. Only where there are any. */
  readonly large?: readonly Span[];
}

/** A value ready to be put into a frame. `bytes` is what it is counted with. */
export type EncodedValue = JsonText | CompactBytes;

export interface Codec {
  readonly name: CodecName;
  /**
   * @param name stands for the value in the error's text. @param limit bytes that it may have, looked at while it is written.
   * @throws {NotSerializableError} @throws {OverLimitError}
   */
  encode(value: unknown, name: string, limit?: number): EncodedValue;
  /** What was encoded last will not be sent, so that its memory is used for the next. */
  takeBack(value: EncodedValue): void;
  /** What was encoded has been sent, and nobody asks for it any more, so that its memory is used for another value. */
  release(value: EncodedValue): void;
  /** The frame that has to go on `stream` before those whose values are encoded now, if any; it counts as sent. */
  before(stream: StreamState): Packed | undefined;
  calls(calls: readonly CallEntry[], settledBelow: number): Packed;
  answers(answers: readonly AnswerEntry[]): Packed;
}

/** What the reader of one stream of frames knows. Values that a codec has encoded may go to several streams. */
export interface StreamState {
  /** How many shapes it was told. */
  told: number;
}

export function newCodec(name: CodecName): Codec {
  if (name === "compact") return new CompactCodec();
  return name === "json" ? JSON_CODEC : TEXT_CODEC;
}

/** The best codec that a peer can read, by what its hello says. One that says nothing reads JSON. */
export function bestCodec(offered: unknown): CodecName {
  const names: readonly unknown[] = Array.isArray(offered) ? offered : [];
  return CODECS.find((name) => names.includes(name)) ?? "json";
}

const JSON_CODEC: Codec = {
  name: "json",
  encode: (value, name, limit = Infinity) => encodeValue(value, name, { limit }),
  takeBack: () => {},
  release: () => {},
  before: () => undefined,
  calls: packCalls,
  answers: packAnswers,
};

const TEXT_CODEC: Codec = {
  ...JSON_CODEC,
  name: "text",
  encode: (value, name, limit = Infinity) => encodeValue(value, name, { limit, bytes: false }),
};
