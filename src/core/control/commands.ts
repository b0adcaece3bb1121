/** The commands that a broker answers on its control socket. Items travel in an envelope each, so that an error keeps its class. */

import { progressTo } from "../call/server.ts";
import { BrokerError, toFault } from "../faults.ts";
import type { BrokerCore } from "../broker/broker.ts";
import type { CallContext, Handler } from "../module/definition.ts";
import { RecordStream } from "../log/broker_log.ts";
import { EVENT_IDS, type EventId, EVENTS, isEventId, type LogRecord } from "../log/events.ts";
import { defined, inspect, isRecord } from "../checks.ts";
import { messageOf } from "../user_code.ts";
import { isAtLeast, levelFrom, type LogLevel } from "../log/prefix.ts";
import { describeModules } from "./describe.ts";
import type { Envelope, InspectAnswer, ItemEnvelope, MeasuredResult, SentRecord } from "./protocol.ts";

export interface ControlCommandsOptions {
  readonly now: () => number;
  readonly stop: () => Promise<void>;
}

/** `call`, `status`, `describe`, `restart`, `reload`, `scale`, `stop` answer with an {@link Envelope}; `stream` and `records` yield theirs. */
export function controlCommands(core: BrokerCore, options: ControlCommandsOptions): ReadonlyMap<string, Handler> {
  // Makes the broker keep its recent records from now on.
  core.recentRecords();
  return new Map<string, Handler>([
    ["status", inEnvelope(() => core.status())],
    ["call", inEnvelope((params, context) => measuredCall(core, params, { context, now: options.now }))],
    ["stream", function (this: CallContext, ...params) {
      return itemsOf(streamBy(core, params, this));
    }],
    [
      "describe",
      inEnvelope(([name, quiet], { signal }) =>
        describeModules(core, { name: nameIn(name), quiet: quiet === true, now: options.now, signal })
      ),
    ],
    ["records", (filter: unknown) => recordsOf(core, filter)],
    ["restart", inEnvelope(([name]) => core.restart(nameIn(name)))],
    ["reload", inEnvelope(([name]) => core.reload(nameIn(name)))],
    ["scale", inEnvelope(([name, workers]) => refusal(core.scale(String(name), Number(workers))))],
    ["inspect", inEnvelope(([name, open]) => inspected(core, String(name), open === true))],
    [
      "stop",
      inEnvelope(([given]) => {
        const name = nameIn(given);
        return name === undefined ? options.stop() : core.stopModule(name);
      }),
    ],
  ]);
}

type Command = (params: readonly unknown[], context: CallContext) => Promise<unknown>;

/** Errors of a call cross in an envelope, because a handler's own ones would reach the caller as remote errors. */
function inEnvelope(command: Command): Handler {
  return async function (this: CallContext, ...params: unknown[]): Promise<Envelope> {
    try {
      const value = await command(params, this);
      return value === undefined ? { ok: true } : { ok: true, value };
    } catch (error) {
      if (error instanceof BrokerError) return { ok: false, fault: toFault(error) };
      throw error;
    }
  };
}

async function measuredCall(
  core: BrokerCore,
  given: readonly unknown[],
  { context, now }: { context: CallContext; now: () => number },
): Promise<MeasuredResult> {
  const { target, command, params, timeout } = callIn("call", given);
  const since = now();
  const asked = { signal: context.signal, onProgress: progressTo(context), ...timeout };
  const { value, attempts } = await core.measure(target, command, params, asked);
  const took = { attempts, ms: Math.round((now() - since) * 1_000) / 1_000 };
  return value === undefined ? took : { value, ...took };
}

function streamBy(core: BrokerCore, given: readonly unknown[], { signal }: CallContext): AsyncIterable<unknown> {
  const { target, command, params, timeout } = callIn("stream", given);
  return core.stream(target, command, params, { signal, ...timeout });
}

/** @throws {TypeError} */
function callIn(action: "call" | "stream", [target, command, params, settings]: readonly unknown[]) {
  if (typeof target !== "string" || typeof command !== "string" || !Array.isArray(params)) {
    throw new TypeError(`Cannot ${action}: target, command and list of params must be given`);
  }
  return { target, command, params, timeout: defined({ timeoutMs: timeoutIn(settings) }) };
}

function timeoutIn(settings: unknown): number | undefined {
  if (settings === undefined || settings === null) return undefined;
  if (!isRecord(settings)) throw new TypeError(`Cannot call: options must be an object, and are ${inspect(settings)}`);
  const { timeoutMs } = settings;
  if (timeoutMs === undefined || typeof timeoutMs === "number") return timeoutMs;
  throw new TypeError(`Cannot call: timeoutMs must be a number of milliseconds, and it is ${inspect(timeoutMs)}`);
}

/** @throws {UnknownModuleError} */
async function inspected(core: BrokerCore, name: string, open: boolean): Promise<InspectAnswer> {
  let url: string | null = null;
  const error = await refusal(core.inspect(name, open).then((found) => url = found));
  return { url, error };
}

/** Why something can't be done is an answer, too; null where it is done. @throws {BrokerError} */
async function refusal(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    return messageOf(error);
  }
}

/** A name that is none must not stand for all. @throws {TypeError} */
function nameIn(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new TypeError(`Cannot find a module: its name is a text, and it is ${inspect(value)}`);
}

async function* itemsOf(items: AsyncIterable<unknown>): AsyncGenerator<ItemEnvelope> {
  try {
    for await (const item of items) yield { item };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    yield { fault: toFault(error) };
  }
}

/** The records that the broker logs. A reader that falls 10,000 records behind gets an error and no more records. */
async function* recordsOf(core: BrokerCore, filter: unknown): AsyncGenerator<SentRecord> {
  const wanted = wantedBy(filter);
  const ids = new Set<string>(wanted.events);
  const before = core.recentRecords().filter(({ event, level }) => ids.has(event) && isAtLeast(level, wanted.level));
  const last = before.slice(Math.max(0, before.length - wanted.last));
  // A client that wants earlier records only makes no process send more than before.
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

/** Subscribes to no more than the client wants, because processes send no more than is subscribed to. */
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
