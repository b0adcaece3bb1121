/**
 * The end of every report: the program's `log` function and those who listen to single events.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import { stackOf } from "../thrown.ts";
import { EVENT_IDS, type EventFields, type EventId, EVENTS } from "./events.ts";
import { toRecord } from "./format.ts";
import { isAtLeast, type LogLevel } from "./level.ts";
import type { LineStyle } from "./prefix.ts";
import type { LogEvent, LogRecord } from "./record.ts";
import { makeEvent, type Reporter, type Subject } from "./reporter.ts";

/** Records that are kept for who looks after it happened. */
const KEPT = 500;
/** Records that wait for a slow reader; beyond it the oldest go. */
const MAX_WAITING = 10_000;

/** Gets a record that is to be logged. Called in the broker's process; what it throws is printed and harms nobody. */
export type LogFunction = (record: LogRecord) => void;

export interface BrokerLogOptions {
  readonly runtime: Runtime;
  readonly style: LineStyle;
  readonly level: LogLevel;
  readonly log: LogFunction;
}

export class BrokerLog implements Reporter {
  readonly #options: BrokerLogOptions;
  readonly #listeners = new Map<string, Set<LogFunction>>();
  /** Asked for with each call, so it is kept. */
  #wanted: ReadonlyMap<EventId, true>;
  #recent: RecentRecords | undefined;
  /** Called when other events are wanted than before. */
  onWanted: (events: readonly string[]) => void = () => {};

  constructor(options: BrokerLogOptions) {
    this.#options = options;
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
      this.#recent?.add(record);
      this.#deliver(this.#options.log, record);
    }
    for (const key of [event.event, "*"]) {
      this.#tell(this.#listeners.get(key), record);
    }
  }

  /** What was logged last; kept from the first time on that this is asked for. */
  recent(): readonly LogRecord[] {
    this.#recent ??= new RecentRecords();
    return this.#recent.all();
  }

  /** Listens to one event, or with `*` to all. Returns the function that ends it. */
  on(event: string, listener: LogFunction): () => void {
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
    return isAtLeast(level, this.#options.level);
  }

  /** Those who listen when the event comes, and still do when it is their turn: a listener may add and remove others. */
  #tell(listeners: ReadonlySet<LogFunction> | undefined, record: LogRecord): void {
    if (listeners === undefined) return;
    for (const listener of [...listeners]) if (listeners.has(listener)) this.#deliver(listener, record);
  }

  /** A listener that throws or rejects harms nobody else: its error is printed. */
  #deliver(listener: LogFunction, record: LogRecord): void {
    const failed = (error: unknown) => {
      const text = `a log function threw at event "${record.event}": ${stackOf(error)}`;
      this.#options.runtime.writeError(`brokkr: ${text}\n`);
    };
    try {
      const result: unknown = listener(record);
      if (typeof result === "object" && result !== null) Promise.resolve(result).then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** What a broker logged last, for those who come to look after it happened. */
class RecentRecords {
  readonly #records: LogRecord[] = [];
  #next = 0;

  add(record: LogRecord): void {
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Oldest first. */
  all(): LogRecord[] {
    return [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)];
  }
}

/** Records as an async iterator. */
export class RecordStream implements AsyncIterableIterator<LogRecord> {
  readonly #unsubscribe: () => void;
  readonly #waiting: LogRecord[] = [];
  #wake: (() => void) | undefined;
  #done = false;
  #missed = 0;

  constructor(subscribe: (listener: (record: LogRecord) => void) => () => void) {
    this.#unsubscribe = subscribe((record) => {
      this.#waiting.push(record);
      if (this.#waiting.length > MAX_WAITING) {
        this.#waiting.shift();
        this.#missed++;
      }
      this.#wake?.();
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
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  return(): Promise<IteratorResult<LogRecord>> {
    this.#done = true;
    this.#waiting.length = 0;
    this.#unsubscribe();
    this.#wake?.();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LogRecord> {
    return this;
  }
}
