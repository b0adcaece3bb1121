/**
 * From one codec to another: for calls that waited while a process was away, and the next one speaks another codec.
 *
 * @module
 */

import type { Packed } from "../frame/batch.ts";
import { BodyReader } from "../frame/body_reader.ts";
import type { Codec, EncodedValue } from "../frame/codec.ts";
import { encodePayload, type PayloadFault } from "../frame/params.ts";
import type { Call } from "./call.ts";
import type { CallQueue } from "./queue.ts";

export interface Translation {
  readonly from: Codec;
  readonly to: Codec;
  readonly frameLimit: number;
}

/** Encodes every call of `queue` anew; `reject` gets those that the new codec has no words for. */
export function translateQueue(
  queue: CallQueue,
  translation: Translation,
  reject: (call: Call, fault: PayloadFault) => void,
): void {
  for (const call of [...queue]) {
    const params = translate(call.params, translation);
    if ("code" in params) reject(call, params);
    else queue.change(call, params);
  }
}

/** Reads `value` as a peer would, and encodes what was read. */
function translate(value: EncodedValue, { from, to, frameLimit }: Translation): EncodedValue | PayloadFault {
  const reader = new BodyReader();
  from.restart();
  const before = from.before();
  if (before !== undefined) reader.answers(before.flags, joined(before));
  const packed = from.answers([{ id: 1, attempt: 1, kind: 0, value }]);
  const [answer] = reader.answers(packed.flags, joined(packed));
  return encodePayload(to, answer?.value, "params", frameLimit);
}

function joined({ parts }: Packed): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
