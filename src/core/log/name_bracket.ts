import { escapeName } from "./escape.ts";
import type { LineStyle } from "./record.ts";

/** A name in brackets, in a column of its own where the style is aligned. */
export function nameBracket(value: string, style: LineStyle): string {
  return `[ ${style.aligned ? escapeName(value).padEnd(15) : escapeName(value)} ]`;
}
