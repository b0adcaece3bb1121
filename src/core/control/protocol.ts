/**
 * What goes over a control socket: the frames of any channel, with commands of the broker itself. A result travels in an
 * envelope, so that an error keeps its class on the way.
 */

import { isAnything, isNumber, objectOf } from "../checks.ts";
import { type BrokerFault, readFault } from "../faults.ts";
import type { LogRecord } from "../log/events.ts";
import type { LogLevel } from "../log/prefix.ts";

/** The largest parameters of a call by hand. Small, because the broker allocates memory for them before they arrive. */
export const ASKED_LIMIT = 1024 * 1024;
/** The largest frame that a client may send: such parameters and their headers. */
export const ASKED_FRAME_LIMIT = ASKED_LIMIT + 64 * 1024;

/** Where an inspector is, null where it is closed, or why it can't be opened. */
export interface InspectAnswer {
  readonly url: string | null;
  readonly error: string | null;
}

export interface MeasuredResult {
  /** Absent where the handler returned nothing. */
  readonly value?: unknown;
  readonly attempts: number;
  readonly ms: number;
}

export type Envelope =
  | { readonly ok: true; readonly value?: unknown }
  | { readonly ok: false; readonly fault: BrokerFault };

/** A record as a client receives it. */
export interface SentRecord extends Omit<LogRecord, "lines"> {
  readonly lines: readonly string[];
}

/** Which records a client wants. */
export interface RecordFilter {
  /** The least level. @default "info" */
  readonly level?: LogLevel;
  /** Only these events. @default all */
  readonly events?: readonly string[];
  /** How many earlier records come first. The broker keeps the last 500. @default 0 */
  readonly last?: number;
  /** Whether new records follow. @default true */
  readonly follow?: boolean;
}

/** One item, or why there is no further one. */
export type ItemEnvelope = { readonly item: unknown } | { readonly fault: BrokerFault };

/** @throws {TypeError} where a broker of another version answered something else. */
export function readEnvelope(value: unknown): Envelope {
  if (typeof value === "object" && value !== null && "ok" in value) {
    if (value.ok === true) return { ok: true, value: "value" in value ? value.value : undefined };
    if (value.ok === false && "fault" in value) return { ok: false, fault: readFault(value.fault) };
  }
  throw new TypeError("Cannot read the broker's answer: it is none that this version knows");
}

const isMeasured = objectOf<MeasuredResult>({ value: isAnything, attempts: isNumber, ms: isNumber });

/** @throws {TypeError} where a broker of another version answered something else. */
export function readMeasured(value: unknown): MeasuredResult {
  if (isMeasured(value)) return value;
  throw new TypeError("Cannot read the broker's answer: it does not say what the call took");
}

/** @throws {TypeError} where a broker of another version sent something else. */
export function readItem(value: unknown): ItemEnvelope {
  if (typeof value === "object" && value !== null) {
    if ("item" in value) return { item: value.item };
    if ("fault" in value) return { fault: readFault(value.fault) };
  }
  throw new TypeError("Cannot read the broker's answer: it is none that this version knows");
}
