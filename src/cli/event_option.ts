/**
 * Ids of events on the command line, completed by the shell.
 *
 * @module
 */

import { message, text } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";
import { EVENT_IDS, isEventId } from "../core/log/lines.ts";
import type { EventId } from "../core/log/record.ts";
import { nearest } from "../core/nearest.ts";

/** An event, or any text. */
export function eventOrLine(): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar: "EVENT|LINE",
    placeholder: "",
    parse: (input) => ({ success: true, value: input }),
    format: (value) => value,
    suggest,
  };
}

/** An event. */
export function eventId(): ValueParser<"sync", EventId> {
  return {
    mode: "sync",
    metavar: "EVENT",
    placeholder: "call.timeout",
    parse(input) {
      if (isEventId(input)) return { success: true, value: input };
      const near = nearest(input, EVENT_IDS);
      const remedy = near === null ? `it must be one of ${EVENT_IDS.join(", ")}` : `did you mean "${near}"?`;
      return { success: false, error: message`${text(`There is no event "${input}"; ${remedy}`)}` };
    },
    format: (value) => value,
    suggest,
  };
}

function* suggest(prefix: string) {
  for (const id of EVENT_IDS) if (id.startsWith(prefix)) yield { kind: "literal", text: id } as const;
}
