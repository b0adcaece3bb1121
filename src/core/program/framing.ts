/**
 * How JSON-RPC messages stand in a stream of bytes: one a line, as MCP servers speak, or each after a header that gives its length,
 * as language servers speak.
 *
 * @module
 */

import { ContentLengthReader } from "./content_length_reader.ts";
import type { Framing } from "../module/settings.ts";
import { NewlineReader } from "./newline_reader.ts";

/** Bytes of one message; a longer one is left out, and never gathered. */
const MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;

/** What a reader finds. */
export interface FramingEvents {
  /** The text of one message. */
  message(text: string): void;
  /** A line that stands where a message should: a program printed it. */
  stray(line: string): void;
  /** Something that was left out, as the object of "dropped". */
  dropped(what: string): void;
}

/** Reads one direction of a stream, in chunks of any size. */
export interface MessageReader {
  /** @throws {FramingError} when what follows can't be told from what came. */
  push(chunk: Uint8Array): void;
  /** The stream has ended: what is not complete is told. */
  end(): void;
}

export function newReader(framing: Framing, events: FramingEvents, limit = MESSAGE_LIMIT_BYTES): MessageReader {
  return framing === "newline" ? new NewlineReader(events, limit) : new ContentLengthReader(events, limit);
}

/** The bytes of one message. `text` is JSON without line breaks, as `JSON.stringify` writes it. */
export function frameMessage(framing: Framing, text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (framing === "newline") return encoder.encode(`${text}\n`);
  const body = encoder.encode(text);
  const header = encoder.encode(`Content-Length: ${body.length}\r\n\r\n`);
  const whole = new Uint8Array(header.length + body.length);
  whole.set(header);
  whole.set(body, header.length);
  return whole;
}
