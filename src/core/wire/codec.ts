/**
 * How values become bytes, and back. JSON is what any language can read; the compact codec is MessagePack whose repeated keys travel
 * once. The hello says which codecs a side can read, and each side writes the best one that both can.
 *
 * @module
 */

import { overLimit } from "../faults.ts";
import type { AnswerEntry, CallEntry, ReceivedAnswers, ReceivedCalls } from "./columns.ts";
import { CompactBodyReader, CompactCodec } from "./compact_codec.ts";
import { asBodyError, FrameFlag, type Packed } from "./frame.ts";
import { JSON_CODEC, jsonIds, type JsonText, readJsonAnswers, readJsonCalls, TEXT_CODEC } from "./json_codec.ts";
import { NotSerializableError, OverLimitError } from "./serializable.ts";
import type { OutOfBandParts } from "./shared_memory.ts";

/** `text` is JSON without bytes beside it, for programs that read nothing else. */
export type CodecName = "compact" | "json" | "text";

/** Those that a hello may offer, the best first. */
export const CODECS: readonly CodecName[] = ["compact", "json"];

/** A text or bytes within an encoded value, which may go out of band. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** A value as MessagePack, in memory that it shares with others and that is not written to again. */
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
   * @param name stands for the value in the error's text. @param limit bytes that it may have, checked while it is written.
   * @throws {NotSerializableError} @throws {OverLimitError}
   */
  encode(value: unknown, name: string, limit?: number): EncodedValue;
  /** What was encoded last will not be sent, so that its memory is used for the next. */
  takeBack(value: EncodedValue): void;
  /** What was encoded has been sent and will not be sent again, so that its memory is used for another value. */
  release(value: EncodedValue): void;
  /** The frame that has to go on `stream` before those whose values are encoded now, if any; it counts as sent. */
  before(stream: StreamState): Packed | undefined;
  calls(calls: readonly CallEntry[], settledBelow: number): Packed;
  answers(answers: readonly AnswerEntry[]): Packed;
}

/** What the reader of one stream of frames knows. Values that a codec has encoded may go to several streams. */
export interface StreamState {
  /** How many shapes were sent to it. */
  sentCount: number;
}

export function newCodec(name: CodecName): Codec {
  if (name === "compact") return new CompactCodec();
  return name === "json" ? JSON_CODEC : TEXT_CODEC;
}

/** The best codec that a peer can read, by what its hello offers. One that offers nothing reads JSON. */
export function bestCodec(offered: unknown): CodecName {
  const names: readonly unknown[] = Array.isArray(offered) ? offered : [];
  return CODECS.find((name) => names.includes(name)) ?? "json";
}

/** Knows what of the body that is read now came out of band. */
interface BodySource {
  readonly outOfBand: OutOfBandParts | undefined;
}

const IN_BAND: BodySource = { outOfBand: undefined };

/** Reads the bodies of calls and answers in whichever codec they came: one direction of one stream, whose shapes it knows. */
export class BodyReader {
  #compact: CompactBodyReader | undefined;
  readonly #source: BodySource;

  /** @default the whole of each body is in its frame */
  constructor(source = IN_BAND) {
    this.#source = source;
  }

  /** Nothing where the frame only had shapes. @throws {BodyError} */
  calls(flags: number, body: Uint8Array): ReceivedCalls | undefined {
    try {
      if ((flags & FrameFlag.compact) === 0) return readJsonCalls(flags, body);
      return this.#compactBodies().calls(flags, body, this.#source.outOfBand);
    } catch (error) {
      throw asBodyError(error);
    }
  }

  /** Ids of the calls in a body that could not be read, as far as they can be found. */
  idsOf(flags: number, body: Uint8Array): number[] {
    if ((flags & FrameFlag.compact) === 0) return jsonIds(flags, body);
    return this.#compactBodies().idsOf(flags, body, this.#source.outOfBand);
  }

  /** @throws {BodyError} */
  answers(flags: number, body: Uint8Array): ReceivedAnswers {
    try {
      if ((flags & FrameFlag.compact) === 0) return readJsonAnswers(flags, body);
      return this.#compactBodies().answers(flags, body, this.#source.outOfBand);
    } catch (error) {
      throw asBodyError(error);
    }
  }

  #compactBodies(): CompactBodyReader {
    return this.#compact ??= new CompactBodyReader();
  }
}

/** What a frame needs around one value: columns, the command's name, the caller. */
const ENVELOPE_BYTES = 4096;
/** Characters of a command's name, each of which JSON may write with six. */
const MAX_COMMAND_LENGTH = 512;

/** Why a value can't be sent, as the facts of a `PayloadError`. */
export interface PayloadFault {
  readonly code: "PAYLOAD";
  readonly reason: string;
  readonly bytes: number | null;
  readonly limit: number;
}

/** Parameters of a call, whose command's name has to fit beside them. */
export function encodeParams(
  codec: Codec,
  command: string,
  params: readonly unknown[],
  frameLimit: number,
): EncodedValue | PayloadFault {
  const { length } = command;
  if (length <= MAX_COMMAND_LENGTH) return encodePayload(codec, params, "params", frameLimit);
  return { code: "PAYLOAD", reason: overLimit(length, MAX_COMMAND_LENGTH), bytes: length, limit: MAX_COMMAND_LENGTH };
}

/** @param what `params` or `result`, for the error's text. */
export function encodePayload(
  codec: Codec,
  value: unknown,
  what: "params" | "result",
  frameLimit: number,
): EncodedValue | PayloadFault {
  const limit = frameLimit - ENVELOPE_BYTES;
  try {
    const encoded = codec.encode(value, what, limit);
    if (encoded.bytes <= limit) return encoded;
    return { code: "PAYLOAD", reason: overLimit(encoded.bytes, limit), bytes: encoded.bytes, limit };
  } catch (error) {
    if (error instanceof OverLimitError) {
      const { bytes } = error;
      return { code: "PAYLOAD", reason: overLimit(`more than ${bytes}`, limit), bytes, limit };
    }
    if (!(error instanceof NotSerializableError)) throw error;
    const verb = what === "params" ? "are" : "is";
    return { code: "PAYLOAD", reason: `${what} ${verb} not serializable: ${error.message}`, bytes: null, limit };
  }
}

/** Stands where a value could not be encoded; never sent. */
export const NOTHING_ENCODED: EncodedValue = { text: "null", bytes: 4, places: [], attachments: [] };
