/**
 * Options and their values that several commands share: the broker, a duration (`500ms`, `1s`, `2m`), an event.
 *
 * @module
 */

import { message, text } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue, Parser } from "@optique/core/parser";
import { option } from "@optique/core/primitives";
import { string, type ValueParser } from "@optique/core/valueparser";
import { EVENT_IDS, type EventId, isEventId } from "../core/log/events.ts";
import { closestMatch } from "../core/closest_match.ts";

/** What a command's parser gives to its function. */
export type ArgsOf<P extends Parser<"sync", unknown, unknown>> = Omit<InferValue<P>, "action">;

/** `--broker NAME`, an option of every command that talks to a broker. */
export function brokerOption() {
  return optional(option("--broker", string({ metavar: "NAME" }), {
    description: message`Name of the broker; not needed if only one runs.`,
  }));
}

const MILLISECONDS: ReadonlyMap<string, number> = new Map([["ms", 1], ["s", 1_000], ["m", 60_000], ["h", 3_600_000]]);
const DURATION = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/;

/** `input` in milliseconds, or what is wrong with it. */
export function parseDuration(input: string): number | string {
  const [, count, unit = ""] = DURATION.exec(input) ?? [];
  const milliseconds = Number(count) * (MILLISECONDS.get(unit) ?? NaN);
  if (milliseconds > 0) return milliseconds;
  const wrong = `"${input}" must be a time above 0 with its unit, such as 500ms, 1s or 2m`;
  return /^[\d.]+$/.test(input) ? `${wrong}; a number without a unit is not one` : wrong;
}

/** {@link parseDuration} as a value of an option. */
export function duration(): ValueParser<"sync", number> {
  return {
    mode: "sync",
    metavar: "TIME",
    placeholder: 1_000,
    parse(input) {
      const parsed = parseDuration(input);
      return typeof parsed === "number"
        ? { success: true, value: parsed }
        : { success: false, error: message`${text(parsed)}` };
    },
    format: (value) => `${value}ms`,
  };
}

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
      const near = closestMatch(input, EVENT_IDS);
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
