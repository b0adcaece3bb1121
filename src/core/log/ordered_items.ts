import type { Group } from "./group.ts";
import type { LogItem } from "./parsed.ts";

/** The place of an event whose lines are still coming. */
export interface Place {
  readonly key: string;
  readonly group: Group;
  /** What the group was, once it is closed. */
  items: readonly LogItem[] | null;
}

const NOTHING: readonly LogItem[] = [];

/** What was read, in the order of first lines: what comes behind an event that is still open waits for it. */
export class OrderedItems {
  #ready: LogItem[] = [];
  readonly #waiting: (LogItem | Place)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  add(item: LogItem): void {
    if (this.#waiting.length === 0) this.#ready.push(item);
    else this.#waiting.push(item);
  }

  open(place: Place): void {
    this.#waiting.push(place);
  }

  close(place: Place, items: readonly LogItem[]): void {
    place.items = items;
    let done = 0;
    for (const next of this.#waiting) {
      if (!("items" in next)) this.#ready.push(next);
      else if (next.items !== null) this.#ready.push(...next.items);
      else break;
      done++;
    }
    this.#waiting.splice(0, done);
  }

  /** The items that wait for nothing, once. */
  take(): readonly LogItem[] {
    if (this.#ready.length === 0) return NOTHING;
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}
