/**
 * The end of every report: the program's `log` function and those who listen to single events. What another process reports is not
 * believed: its parent says whose event it is, and when it was.
 */

import type { Runtime } from "../../runtime/runtime.ts";
import {
  EVENT_IDS,
  type EventFields,
  type EventId,
  EVENTS,
  isEventId,
  levelOf,
  type LogEvent,
  type LogRecord,
} from "./events.ts";
import { formatEvent } from "./format.ts";
import { LEVELS, type LineStyle, type LogLevel } from "./prefix.ts";
import { makeEvent, type Reporter, type Subject } from "./reporter.ts";
import { closestMatch, cutText, inspect, isNumber, isRecord, isText } from "../checks.ts";
import { BodyError } from "../wire/frame.ts";
import type { Field } from "./field_types.ts";

/** Records that are kept for who looks after it happened. */
const KEPT = 500;
/** Records that wait for a slow reader; beyond it the oldest go. */
const MAX_WAITING = 10_000;

/** Gets a record that is to be logged. Called in the broker's process; what it throws is an uncaught error of that. */
export type LogFunction = (record: LogRecord) => void;

export interface BrokerLogOptions {
  readonly runtime: Runtime;
  readonly style: LineStyle;
  readonly level: LogLevel;
  readonly log: LogFunction;
}

export class BrokerLog implements Reporter {
  readonly #options: BrokerLogOptions;
  /** Those that are logged. */
  readonly #levels: readonly LogLevel[];
  readonly #listeners = new Map<string, Set<LogFunction>>();
  /** Those that wait for the next record. */
  readonly #streams = new Set<RecordStream>();
  /** Asked for with each call, so it is kept. */
  #wanted: ReadonlyMap<EventId, true>;
  /** What was logged last, oldest first; kept from the first time on that it is asked for. */
  #recent: LogRecord[] | undefined;
  /** Called when other events are wanted than before. */
  onWanted: (events: readonly string[]) => void = () => {};

  constructor(options: BrokerLogOptions) {
    this.#options = options;
    this.#levels = LEVELS.slice(LEVELS.indexOf(options.level));
    this.#wanted = this.#findWanted();
  }

  wants(event: EventId): boolean {
    return this.#wanted.get(event) === true;
  }

  wanted(): string[] {
    return [...this.#wanted.keys()];
  }

  report<Id extends EventId>(event: Id, fields: EventFields[Id], subject: Subject): void {
    if (!this.wants(event)) return;
    this.emit(makeEvent(this.#options.runtime, event, fields, subject));
  }

  /** Hands an event to everyone who wants it. */
  emit(event: LogEvent): void {
    const record = toRecord(event, this.#options.style);
    if (this.#logs(record.level)) {
      if (this.#recent?.push(record) === KEPT + 1) this.#recent.shift();
      this.#deliver(this.#options.log, record);
    }
    for (const key of [event.event, "*"]) {
      this.#tell(this.#listeners.get(key), record);
    }
  }

  recent(): readonly LogRecord[] {
    return [...this.#recent ??= []];
  }

  /** Listens to one event, or with `*` to all. Returns the function that ends it. @throws {TypeError} where there is no such event. */
  on(event: string, listener: LogFunction): () => void {
    if (event !== "*" && !isEventId(event)) throw new TypeError(noSuchEvent(event));
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    if (listeners.size === 1) this.#changeWanted();
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(event);
      this.#changeWanted();
    };
  }

  /** Every record from now on, until the reader or {@linkcode end} ends it. */
  stream(): RecordStream {
    const stream: RecordStream = new RecordStream((listener) => {
      const unsubscribe = this.on("*", listener);
      return () => {
        unsubscribe();
        this.#streams.delete(stream);
      };
    });
    this.#streams.add(stream);
    return stream;
  }

  /** Ends every stream behind its last record: none will come. */
  end(): void {
    for (const stream of this.#streams) stream.end();
  }

  #changeWanted(): void {
    this.#wanted = this.#findWanted();
    this.onWanted(this.wanted());
  }

  #findWanted(): ReadonlyMap<EventId, true> {
    const wanted = new Map<EventId, true>();
    const listened = (event: EventId) => this.#listeners.has(event) || this.#listeners.has("*");
    for (const event of EVENT_IDS) if (this.#logs(EVENTS[event].level) || listened(event)) wanted.set(event, true);
    return wanted;
  }

  #logs(level: LogLevel): boolean {
    return this.#levels.includes(level);
  }

  /** Those who listen when the event comes, and still do when it is their turn: a listener may add and remove others. */
  #tell(listeners: ReadonlySet<LogFunction> | undefined, record: LogRecord): void {
    if (listeners === undefined) return;
    for (const listener of [...listeners]) if (listeners.has(listener)) this.#deliver(listener, record);
  }

  /** What a listener throws or rejects with is an uncaught error of this process, and everyone else gets the record. */
  #deliver(listener: LogFunction, record: LogRecord): void {
    const { clock } = this.#options.runtime;
    const failed = (error: unknown) => clock.throwUncaught(error);
    try {
      const result: unknown = listener(record);
      if (typeof result === "object" && result !== null) Promise.resolve(result).then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

function noSuchEvent(event: unknown): string {
  const similar = typeof event === "string" ? closestMatch(event, EVENT_IDS) : null;
  const hint = similar === null ? "" : `, did you mean "${similar}"`;
  return `Cannot listen to ${inspect(event)}: there is no such event${hint}`;
}

/** What the program's `log` function gets for an event. Nothing is formatted before its `lines()` is called. */
export function toRecord(event: LogEvent, style: LineStyle): LogRecord {
  return { level: levelOf(event), ...event, lines: () => formatEvent(event, style) };
}

export class RecordStream implements AsyncIterableIterator<LogRecord> {
  readonly #unsubscribe: () => void;
  readonly #waiting: LogRecord[] = [];
  #wakes: (() => void)[] = [];
  #done = false;
  #missed = 0;

  constructor(subscribe: (listener: (record: LogRecord) => void) => () => void) {
    this.#unsubscribe = subscribe((record) => {
      this.#waiting.push(record);
      if (this.#waiting.length > MAX_WAITING) {
        this.#waiting.shift();
        this.#missed++;
      }
      this.#wake();
    });
  }

  /** How many records a slow reader has lost. */
  get missed(): number {
    return this.#missed;
  }

  async next(): Promise<IteratorResult<LogRecord>> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value !== undefined) return { value, done: false };
      if (this.#done) return { value: undefined, done: true };
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }

  /** No more records come; those that wait can still be read. */
  end(): void {
    this.#done = true;
    this.#unsubscribe();
    this.#wake();
  }

  return(): Promise<IteratorResult<LogRecord>> {
    this.#waiting.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Every `next` that waits looks again: a reader may have called it more than once. */
  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LogRecord> {
    return this;
  }
}

/** Characters of one event that are kept, as the broker keeps the last 500: brokkr's own have less. */
const MAX_EVENT = 256 * 1024;
const MAX_THREAD = 1_000;
/** What an item of a list takes beside its texts. */
const ITEM = 16;

/** What the parent knows of the process that sent events. */
export interface Origin {
  readonly name: string;
  readonly pid: number;
  readonly broker: string;
  /** Whether a process of this name is one of its workers. */
  readonly isWorker: (name: string) => boolean;
  /** Wall clock when the process was started, and now. */
  readonly startedAt: number;
  readonly now: number;
}

/**
 * The events that the process `origin` sent as `values`, as its parent knows them: module and pid are those of the process or of its
 * workers, and the time lies within the life of the process.
 *
 * @throws {BodyError} where one is none that a process reports.
 */
export function reportedEvents(values: readonly unknown[], origin: Origin): LogEvent[] {
  return values.map((value) => reportedEvent(value, origin));
}

function reportedEvent(value: unknown, origin: Origin): LogEvent {
  if (!isRecord(value)) throw new BodyError("a records frame is not a list of events");
  const { event, time, pid, module, thread, fields } = value;
  if (!isText(event) || !isEventId(event) || !isRecord(fields)) {
    throw new BodyError("a records frame is not a list of events");
  }
  if (typeof time !== "number" || !isNumber(pid) || !isText(module) || !isText(thread)) {
    throw new BodyError(`event ${event} has no time, pid, module or thread`);
  }
  const { isOfBroker, fields: types } = EVENTS[event];
  if (isOfBroker !== undefined) throw new BodyError(`event ${event} is none that a process reports`);
  const wrong = wrongField(fields, types);
  if (wrong !== undefined) throw new BodyError(`event ${event} has a wrong field ${wrong}`);
  const { process } = fields;
  const isOfOther = event.startsWith("process.") && isText(process) && !origin.isWorker(process);
  // A process drops what its parent sent, and of its own lines those that are too many.
  if (isOfOther && !(event === "process.dropped" && (process === origin.broker || process === origin.name))) {
    throw new BodyError(`event ${event} is of a process that is no worker of ${origin.name}`);
  }
  const isOfWorker = origin.isWorker(module);
  const room = { left: MAX_EVENT };
  const reported = {
    event,
    time: Math.min(Math.max(time, origin.startedAt), origin.now),
    pid: isOfWorker ? pid : origin.pid,
    module: isOfWorker ? module : origin.name,
    thread: cutText(thread, MAX_THREAD),
    fields: Object.fromEntries(Object.keys(types).map((key) => [key, bounded(fields[key], room)])),
  };
  // The types of the row have checked the fields of this id, which TypeScript can't carry into the union over all ids.
  return reported as unknown as LogEvent;
}

/** The first field that is not of its type. */
function wrongField(fields: Readonly<Record<string, unknown>>, types: Readonly<Record<string, Field<unknown>>>) {
  return Object.keys(types).find((key) =>
    types[key]?.check(Object.hasOwn(fields, key) ? fields[key] : undefined) === false
  );
}

/** `value` with its texts cut, and its lists, where they are more than there is room for. */
function bounded(value: unknown, room: { left: number }): unknown {
  if (typeof value === "string") {
    const text = cutText(value, room.left);
    room.left -= Math.min(value.length, room.left);
    return text;
  }
  if (typeof value !== "object" || value === null) return value;
  const kept: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (room.left <= 0) break;
    room.left -= Math.min(room.left, Array.isArray(value) ? ITEM : key.length + ITEM);
    kept.push([key, bounded(item, room)]);
  }
  return Array.isArray(value) ? kept.map(([, item]) => item) : Object.fromEntries(kept);
}
