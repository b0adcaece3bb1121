import { ownText } from "../../core/log/own_text.ts";

/** Names that are kept for one group. */
const MAX_NAMES = 10;

/** Events that are alike: how many there were, and from when to when. */
export interface Group<Facts> {
  readonly facts: Facts;
  readonly count: number;
  /** `YYYY-MM-DD HH:MM:SS`, as in the log. */
  readonly first: string;
  readonly last: string;
  /** Where they happened; the first ten. */
  readonly modules: readonly string[];
  readonly commands: readonly string[];
}

interface Open<Facts> {
  readonly facts: Facts;
  count: number;
  first: string;
  last: string;
  readonly modules: Set<string>;
  readonly commands: Set<string>;
}

/** Groups of like events, up to a number of them. */
export class Groups<Facts> {
  readonly #most: number;
  readonly #groups = new Map<string, Open<Facts>>();
  #others = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Events that belong to none of the groups, since there are too many groups. */
  get others(): number {
    return this.#others;
  }

  /** @param facts makes what is kept of the first one of a group; its texts must be their own. */
  add(key: string, seen: { timeText: string; module: string; command: string | null }, facts: () => Facts): void {
    const { timeText, module, command } = seen;
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= this.#most) {
        this.#others++;
        return;
      }
      const time = ownText(timeText);
      group = { facts: facts(), count: 0, first: time, last: time, modules: new Set(), commands: new Set() };
      this.#groups.set(ownText(key), group);
    }
    group.count++;
    if (timeText < group.first) group.first = ownText(timeText);
    if (timeText > group.last) group.last = ownText(timeText);
    note(group.modules, module);
    if (command !== null) note(group.commands, command);
  }

  /** The most frequent ones first. */
  result(): Group<Facts>[] {
    return [...this.#groups.values()]
      .map((group) => ({ ...group, modules: [...group.modules], commands: [...group.commands] }))
      .sort((a, b) => b.count - a.count || (a.first < b.first ? -1 : 1));
  }
}

function note(names: Set<string>, name: string): void {
  if (names.size < MAX_NAMES && !names.has(name)) names.add(ownText(name));
}
