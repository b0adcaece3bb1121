/**
 * Parameters and results on their way out: encoded once and held against the limit.
 *
 * @module
 */

import { overLimit } from "../faults.ts";
import type { Codec, EncodedValue } from "./codec.ts";
import { OverLimitError } from "./limits.ts";
import { NotSerializableError } from "./scan.ts";

/** What a frame needs around one value: columns, the command's name, who called. */
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
