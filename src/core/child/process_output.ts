/**
 * What a process prints, on both of its streams.
 *
 * @module
 */

import type { Clock } from "../../runtime/runtime.ts";
import type { EventFields } from "../log/record.ts";
import { OutputLines } from "./output_lines.ts";
import type { OutputLimits } from "../module/process_settings.ts";

/** A line that the process printed. */
export type OutputLine = Pick<EventFields["process.output"], "stream" | "text" | "level">;

export interface OutputEvents {
  output(line: OutputLine): void;
  /** Something of the process was left out. */
  dropped(what: string, count: number): void;
}

export class ProcessOutput {
  readonly #stdout: OutputLines;
  readonly #stderr: OutputLines;
  #begin = () => {};
  /** Settles when there is a pid for the lines: a process may print before its father knows that it runs. */
  #begun: Promise<void> | undefined = new Promise((resolve) => this.#begin = resolve);

  constructor(clock: Clock, { limits, events }: { limits: OutputLimits; events: OutputEvents }) {
    const lines = (stream: OutputLine["stream"]) =>
      new OutputLines({
        clock,
        limits,
        line: (text, level) => events.output({ stream, text, level }),
        dropped: (count) => events.dropped(`lines of ${stream} (limit: ${limits.maxLinesPerSecond} a second)`, count),
      });
    this.#stdout = lines("stdout");
    this.#stderr = lines("stderr");
  }

  /** The last lines of standard error, oldest first. */
  get lastLines(): string[] {
    return [...this.#stderr.last];
  }

  /** @returns where there is too much: settles when the stream should be read on. */
  push(stream: OutputLine["stream"], chunk: Uint8Array): Promise<void> | undefined {
    if (this.#begun !== undefined) return this.#begun.then(() => this.push(stream, chunk));
    return (stream === "stdout" ? this.#stdout : this.#stderr).push(chunk);
  }

  /** The process is known. */
  begin(): void {
    this.#begun = undefined;
    this.#begin();
  }

  /** The process has ended. */
  end(): void {
    this.#stdout.end();
    this.#stderr.end();
  }
}
