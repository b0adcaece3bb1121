/** The parameters of a call by hand, and its result as text. */

import type { MeasuredResult } from "../core/control/protocol.ts";

/** Parsed as JSON if possible, else the text itself. */
export function readParam(param: string): unknown {
  try {
    return JSON.parse(param);
  } catch {
    return param;
  }
}

/** What is printed of a result: a text as it is, else JSON; null where there is nothing. */
export function resultText({ value, attempts, ms }: MeasuredResult, json: boolean): string | null {
  if (json) return toJson({ ok: true, result: value ?? null, attempts, ms });
  if (value === undefined) return null;
  return typeof value === "string" ? value : toJson(value, 2);
}

/**
 * JSON has no bytes: they become base64. A bigint becomes its digits, which JSON allows any number of; NaN and infinities become
 * texts, because null would hide them.
 */
export function toJson(value: unknown, indent?: number): string {
  let mark: string | undefined;
  const form = (_key: string, part: unknown): unknown => {
    if (typeof part === "number" && !Number.isFinite(part)) return String(part);
    if (typeof part === "bigint") return `${mark ??= crypto.randomUUID()}${part}`;
    return part instanceof Uint8Array ? base64(part) : part;
  };
  const text = JSON.stringify(value, form, indent);
  // No runtime of these writes a bigint as a number: JSON.rawJSON is missing in Node 20. No text holds the mark but these.
  return mark === undefined ? text : text.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
