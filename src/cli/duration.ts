/**
 * Times as people write them: `500ms`, `1s`, `2m`.
 *
 * @module
 */

import { message, text } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";

const MILLISECONDS: ReadonlyMap<string, number> = new Map([["ms", 1], ["s", 1_000], ["m", 60_000], ["h", 3_600_000]]);
const DURATION = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/;

/** Milliseconds of `input`, or what is wrong with it. */
export function parseDuration(input: string): number | string {
  const [, count, unit = ""] = DURATION.exec(input) ?? [];
  const milliseconds = Number(count) * (MILLISECONDS.get(unit) ?? NaN);
  if (milliseconds > 0) return milliseconds;
  const wrong = `"${input}" must be a time above 0 with its unit, such as 500ms, 1s or 2m`;
  return /^[\d.]+$/.test(input) ? `${wrong}; a number without a unit is not one` : wrong;
}

/** {@link parseDuration} for an option of the command line. */
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
