import type { ParsedEvent } from "../../core/log/parsed.ts";
import { CommandCounts, type CommandFigures } from "./command_counts.ts";
import { Latencies, type Percentiles } from "./latency.ts";

/** What a log says of a module or a worker. */
export interface ModuleFigures extends CommandFigures {
  readonly name: string;
  /** Events about it, of every kind. */
  readonly events: number;
  /** Cleanups of its processes. `errors`: modules whose data could not be cleaned in them. */
  readonly cleanups: { readonly count: number; readonly errors: number; readonly ms: Percentiles | null };
  /** Its processes: started, ended unexpectedly, and given up. */
  readonly processes: { readonly starts: number; readonly ended: number; readonly failed: number };
}

export class ModuleCounts {
  /** Of the commands, by their names. */
  readonly commands = new Map<string, CommandCounts>();
  readonly #cleanups = new Latencies();
  #events = 0;
  #cleanupCount = 0;
  #cleanupErrors = 0;
  #starts = 0;
  #ended = 0;
  #failed = 0;

  add({ event, fields }: ParsedEvent): void {
    this.#events++;
    switch (event) {
      case "cleanup.done":
        this.#cleanupCount++;
        return this.#cleanups.add(fields.ms);
      case "cleanup.error":
        this.#cleanupErrors++;
        return;
      case "process.starting":
        this.#starts++;
        return;
      case "process.exited":
        if (!fields.expected) this.#ended++;
        return;
      case "process.failed":
        this.#failed++;
    }
  }

  figures(name: string): ModuleFigures {
    const all = new CommandCounts();
    for (const counts of this.commands.values()) all.merge(counts);
    return {
      name,
      events: this.#events,
      ...all.figures(),
      cleanups: { count: this.#cleanupCount, errors: this.#cleanupErrors, ms: this.#cleanups.percentiles() },
      processes: { starts: this.#starts, ended: this.#ended, failed: this.#failed },
    };
  }
}
