import { formatEvent } from "../../src/core/log/format.ts";
import type { EventFields, EventId, LogEvent } from "../../src/core/log/events.ts";
import type { Reporter, Subject } from "../../src/core/log/reporter.ts";

/** Keeps what is reported. */
export class TestReporter implements Reporter {
  readonly events: { event: EventId; fields: unknown; subject: Subject }[] = [];
  readonly #lines: string[] = [];
  /** The program's own code, which a report may end in. */
  onReport: (event: EventId) => void = () => {};

  wants(): boolean {
    return true;
  }

  report<Id extends EventId>(event: Id, fields: EventFields[Id], subject: Subject): void {
    this.events.push({ event, fields, subject });
    const { module, thread = "MainThread" } = subject;
    const made = { event, time: 0, pid: 29341, module, thread, fields } as unknown as LogEvent;
    const style = { broker: "broker-master", product: "Shinken", aligned: false };
    // The time stamp depends on the time zone of the machine.
    for (const line of formatEvent(made, style)) this.#lines.push(line.replace(/^\[[^\]]*\] /, ""));
    this.onReport(event);
  }

  /** Lines without their time stamp, of one event or of all. */
  lines(): string[] {
    return this.#lines;
  }

  clear(): void {
    this.events.length = 0;
    this.#lines.length = 0;
  }

  ids(): EventId[] {
    return this.events.map(({ event }) => event);
  }
}
