/**
 * Streams over a control socket: what a command by hand yields, and what the broker logs. Items travel in an envelope each, so that
 * an error keeps its class on the way.
 *
 * @module
 */

import type { BrokerCore } from "../broker/broker.ts";
import { BrokerError, type BrokerFault, readFault, toFault } from "../faults.ts";
import { EVENT_IDS, type EventId, EVENTS, isEventId } from "../log/events.ts";
import { isAtLeast, levelFrom, type LogLevel } from "../log/level.ts";
import type { LogRecord } from "../log/record.ts";
import { RecordStream } from "../log/broker_log.ts";

/** A record as a client gets it. */
export interface SentRecord extends Omit<LogRecord, "lines"> {
  readonly lines: readonly string[];
}

/** Which records a client wants. */
export interface RecordFilter {
  /** The least level. @default "info" */
  readonly level?: LogLevel;
  /** Only these events. @default all */
  readonly events?: readonly string[];
  /** So many of those that were logged before come first. The broker has the last 500. @default 0 */
  readonly last?: number;
  /** Whether what is logged from now on follows. @default true */
  readonly follow?: boolean;
}

/** One item, or why there is no further one. */
type ItemEnvelope = { readonly item: unknown } | { readonly fault: BrokerFault };

/** The items of a command by hand. */
export async function* itemsOf(items: AsyncIterable<unknown>): AsyncGenerator<ItemEnvelope> {
  try {
    for await (const item of items) yield { item };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    yield { fault: toFault(error) };
  }
}

/** @throws {TypeError} where a broker of another version sent something else. */
export function readItem(value: unknown): ItemEnvelope {
  if (typeof value === "object" && value !== null) {
    if ("item" in value) return { item: value.item };
    if ("fault" in value) return { fault: readFault(value.fault) };
  }
  throw new TypeError("Cannot read the broker's answer: it is none that this version knows");
}

/** What the broker logs. A reader that falls 10,000 records behind is told so and cut off. */
export async function* recordsOf(core: BrokerCore, filter: unknown): AsyncGenerator<SentRecord> {
  const wanted = wantedBy(filter);
  const ids = new Set<string>(wanted.events);
  const before = core.recentRecords().filter(({ event, level }) => ids.has(event) && isAtLeast(level, wanted.level));
  const last = before.slice(Math.max(0, before.length - wanted.last));
  // Who only looks back makes no process send more than before.
  if (!wanted.follow) return yield* last.map(sent);
  const records = new RecordStream((listener) => {
    const unsubscribe = wanted.events.map((event) => core.on(event, listener));
    return () => unsubscribe.forEach((stop) => stop());
  });
  try {
    for (const record of last) yield sent(record);
    for await (const record of records) {
      if (records.missed > 0) throw new Error(`the reader is too slow: ${records.missed} records were lost`);
      if (isAtLeast(record.level, wanted.level)) yield sent(record);
    }
  } finally {
    await records.return();
  }
}

function sent({ lines, ...facts }: LogRecord): SentRecord {
  return { ...facts, lines: lines() };
}

interface Wanted {
  readonly level: LogLevel;
  readonly events: readonly EventId[];
  readonly last: number;
  readonly follow: boolean;
}

/** Only what is wanted is subscribed to, because processes send what is wanted and no more. */
function wantedBy(filter: unknown): Wanted {
  const fields = new Map(typeof filter === "object" && filter !== null ? Object.entries(filter) : []);
  const level = levelFrom(fields.get("level")) ?? "info";
  const named: unknown = fields.get("events");
  const events = Array.isArray(named) ? named.filter(isEventId) : EVENT_IDS;
  const last = fields.get("last");
  return {
    level,
    events: events.filter((event) => isAtLeast(EVENTS[event].level, level)),
    last: typeof last === "number" ? last : 0,
    follow: fields.get("follow") !== false,
  };
}
