/**
 * How an event becomes lines.
 *
 * @module
 */

import type { LineTag } from "./lines.ts";
import type { PrintedFields } from "./printed.ts";
import type { EventId, LineStyle, LogLevel } from "./record.ts";

export interface LineKind<Id extends EventId> {
  readonly tag: LineTag;
  /** Of an event whose level depends on its fields, the most serious one. */
  readonly level: LogLevel;
  readonly levelWith?: (fields: PrintedFields[Id]) => LogLevel;
  /** The text of each line, after the prefix and one space. */
  readonly texts: (fields: PrintedFields[Id], style: LineStyle) => string[];
}

/** An event of one line. */
export function line<Id extends EventId>(
  tag: LineTag,
  level: LogLevel,
  print: (fields: PrintedFields[Id]) => string,
): LineKind<Id> {
  return { tag, level, texts: (fields) => [print(fields)] };
}

export function formatMebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
