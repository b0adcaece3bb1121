/**
 * When and where processes start.
 *
 * A start waits for a place and holds it from the spawn to the end of the cleanup, so that a hundred modules do not slow each other
 * down until none is up in time. The broker has the places; its modules ask it for those of their workers.
 */

import type { Clock, Runtime } from "../../runtime/runtime.ts";
import type { EventFields } from "../log/events.ts";
import type { ControlFromParent } from "../wire/messages.ts";

/** Where starts wait for their places. */
export interface StartQueue {
  /**
   * Calls `admitted` when the start has a place: at once where one is free. The returned function gives the place back, or leaves the
   * queue; it may be called again.
   */
  enter(admitted: () => void): () => void;
}

/** The places of a broker: first come, first served. */
export class StartPlaces implements StartQueue {
  #limit: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Places in all. Those that are held stay so where there are fewer now. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#admit();
  }

  enter(admitted: () => void): () => void {
    let holds = false;
    const take = () => {
      holds = true;
      this.#taken++;
      admitted();
    };
    this.#waiting.add(take);
    this.#admit();
    return () => {
      this.#waiting.delete(take);
      if (!holds) return;
      holds = false;
      this.#taken--;
      this.#admit();
    };
  }

  #admit(): void {
    for (const take of this.#waiting) {
      if (this.#taken >= this.#limit) return;
      this.#waiting.delete(take);
      take();
    }
  }
}

/** Many times the workers that a machine can run: a peer that wants more at once is not brokkr. */
const MAX_LENT = 10_000;

export interface LentPlacesOptions {
  readonly starts: StartQueue;
  readonly clock: Clock;
  /** The longest time that a worker may hold a place: its module may be too busy to give it back. */
  readonly leaseMs: number;
  readonly send: (message: ControlFromParent) => void;
}

/** In the broker: the places that the workers of one module's process hold or wait for. */
export class LentPlaces {
  readonly #options: LentPlacesOptions;
  readonly #leave = new Map<number, () => void>();

  constructor(options: LentPlacesOptions) {
    this.#options = options;
  }

  wanted(start: number): void {
    if (this.#leave.has(start) || this.#leave.size >= MAX_LENT) return;
    const { starts, clock, leaseMs, send } = this.#options;
    let clear = () => {};
    const leave = starts.enter(() => {
      clear = clock.timer(leaseMs, () => this.over(start));
      send({ kind: "start-admitted", start });
    });
    this.#leave.set(start, () => {
      clear();
      leave();
    });
  }

  /** That start is over, or is not wanted any more. */
  over(start: number): void {
    const leave = this.#leave.get(start);
    this.#leave.delete(start);
    leave?.();
  }

  end(): void {
    for (const start of [...this.#leave.keys()]) this.over(start);
  }
}

/** Where a process starts whose settings say `cwd`, or nothing; asked for at each start. */
export type StartFolder = (process: string, cwd?: string) => () => string;

export interface StartFolderOptions {
  /** Where a process starts instead of a folder that is gone, the best first. */
  readonly instead: () => readonly (string | null)[];
  /** Called once. */
  readonly gone: (fields: EventFields["process.folder-gone"]) => void;
}

/** New processes start where this one was started. That folder may be removed while it runs, as that of an old release is. */
export function startFolder(
  runtime: Pick<Runtime, "startedIn" | "fromStart" | "isFolder">,
  { instead, gone }: StartFolderOptions,
): StartFolder {
  let isReported = false;
  const own = (process: string) => {
    const { startedIn } = runtime;
    if (startedIn !== null && runtime.isFolder(startedIn)) return startedIn;
    const other = instead().find((folder) => folder !== null && runtime.isFolder(folder)) ?? "/";
    if (!isReported) gone({ process, folder: startedIn ?? "unknown", instead: other });
    isReported = true;
    return other;
  };
  return (process, cwd) => () => cwd === undefined ? own(process) : runtime.fromStart(cwd);
}
