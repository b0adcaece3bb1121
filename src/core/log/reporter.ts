/**
 * Where the parts of brokkr report what happened. In the broker it ends in the program's `log` function, in any other process it
 * goes over the channel. A source of lines has a limit, so that none fills the log.
 */

import type { Clock, Runtime } from "../../runtime/runtime.ts";
import { FrameType, inBatches } from "../wire/frame.ts";
import type { Link } from "../wire/link.ts";
import { objectText } from "../user_code.ts";
import type { EventFields, EventId, LogEvent } from "./events.ts";
import type { LineStyle } from "./prefix.ts";

/** The thread of what was reported outside of any. */
export const MAIN_THREAD = "MainThread";

export interface Reporter {
  /** Whether anyone wants this event. Ask before its fields are made, so that DEBUG costs nothing when it is off. */
  wants(event: EventId): boolean;
  report<Id extends EventId>(event: Id, fields: EventFields[Id], subject: Subject): void;
}

/** For calls that leave no lines of their own: someone else's say what they did. */
export const SILENT: Reporter = { wants: () => false, report: () => {} };

/** What stands in the line's prefix. */
export interface Subject {
  /** Module or worker. */
  readonly module: string;
  /** @default the thread that runs now */
  readonly thread?: string | undefined;
}

/** An event that happens now, in this process. */
export function makeEvent<Id extends EventId>(
  runtime: Runtime,
  event: Id,
  fields: EventFields[Id],
  subject: Subject,
): LogEvent {
  const { module, thread = runtime.thread() ?? MAIN_THREAD } = subject;
  const made = { event, time: runtime.clock.wall(), pid: runtime.pid, module, thread, fields };
  // `event` and `fields` share `Id`, which TypeScript can't carry into the union over all ids.
  return made as unknown as LogEvent;
}

/** Reports of a process that is not the broker: they go to its parent over the channel. */
export class FrameReporter implements Reporter {
  readonly #runtime: Runtime;
  readonly #link: Link;
  readonly #style: LineStyle;
  readonly #wanted = new Map<string, true>();
  readonly #events: LogEvent[] = [];
  readonly #flush = () => this.flush();
  #printed: Promise<unknown> = Promise.resolve();

  /** @param style for lines on standard error, the way out when the channel is gone. */
  constructor(runtime: Runtime, link: Link, style: LineStyle) {
    this.#runtime = runtime;
    this.#link = link;
    this.#style = style;
  }

  /** From now on only these events are wanted. */
  want(events: readonly string[]): void {
    this.#wanted.clear();
    for (const event of events) this.#wanted.set(event, true);
  }

  wanted(): string[] {
    return [...this.#wanted.keys()];
  }

  wants(event: EventId): boolean {
    return this.#wanted.get(event) === true;
  }

  report<Id extends EventId>(event: Id, fields: EventFields[Id], subject: Subject): void {
    if (!this.wants(event)) return;
    this.pass([makeEvent(this.#runtime, event, fields, subject)]);
  }

  /** Passes on what a worker reported. */
  pass(events: readonly LogEvent[]): void {
    if (this.#link.closed) return this.#print(events);
    this.#events.push(...events);
    this.#link.schedule(this.#flush);
  }

  /** Settles when everything that the channel could not take any more is on standard error. */
  async printed(): Promise<void> {
    await this.#printed;
  }

  /** What makes lines of events is loaded here: no process but the broker's needs it as long as it has a channel. */
  #print(events: readonly LogEvent[]): void {
    const print = async () => {
      const { formatEvent } = await import("./format.ts");
      for (const event of events) this.#runtime.writeError(`${formatEvent(event, this.#style).join("\n")}\n`);
    };
    this.#printed = this.#printed.then(print).catch(() => {});
  }

  /** Sends what was reported so far. */
  flush(): void {
    const texts = this.#events.splice(0).map(objectText);
    inBatches(texts, (text) => text.length, (batch) => this.#link.send(FrameType.records, `[${batch.join()}]`));
  }
}

const WINDOW_MS = 1_000;

export class LineLimit {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #dropped: (count: number) => void;
  #windowEnd = -Infinity;
  #lines = 0;
  #left = 0;
  #clearTimer: (() => void) | undefined;

  /** @param limit lines a second. @param dropped called after each second in which lines were left out. */
  constructor(clock: Clock, limit: number, dropped: (count: number) => void) {
    this.#clock = clock;
    this.#limit = limit;
    this.#dropped = dropped;
  }

  /** Whether one more line may be written now. */
  take(): boolean {
    const now = this.#clock.now();
    if (now >= this.#windowEnd) {
      this.end();
      this.#windowEnd = now + WINDOW_MS;
      this.#lines = 0;
    }
    if (this.#lines < this.#limit) {
      this.#lines++;
      return true;
    }
    this.#left++;
    this.#clearTimer ??= this.#clock.timer(this.#windowEnd - now, () => this.end());
    return false;
  }

  /** Tells now what was left out. */
  end(): void {
    this.#clearTimer?.();
    this.#clearTimer = undefined;
    const count = this.#left;
    this.#left = 0;
    if (count > 0) this.#dropped(count);
  }
}
