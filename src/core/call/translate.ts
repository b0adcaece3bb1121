/**
 * From one codec to another: for calls that waited while a process was away, and the next one speaks another codec.
 *
 * @module
 */

import { joinBytes } from "../bytes.ts";
import { BodyReader } from "../wire/body_reader.ts";
import type { Codec, EncodedValue } from "../wire/codec.ts";
import { encodePayload, type PayloadFault } from "../wire/params.ts";
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
  const before = from.before({ told: 0 });
  if (before !== undefined) reader.answers(before.flags, joinBytes(before.parts));
  const packed = from.answers([{ id: 1, attempt: 1, kind: 0, value }]);
  const { values } = reader.answers(packed.flags, joinBytes(packed.parts));
  return encodePayload(to, values[0], "params", frameLimit);
}
