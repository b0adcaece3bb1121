/** The summary of a log: counted while reading, in memory that does not grow with the log. */

import { formatStamp, type LogLevel, ownText, twinOf } from "../../core/log/prefix.ts";
import type { LinePlace, LogItem, ParsedEvent, UnreadLine } from "../../core/log/parse.ts";
import type { EventId } from "../../core/log/events.ts";
import { CommandCounts, type CommandFigures, ModuleCounts, type ModuleFigures } from "./counts.ts";
import type { Filter } from "../log_filter.ts";
import { type TroubleFigures, TroubleGroups } from "./groups.ts";
import type { SourceFigures } from "./read_log.ts";
import { TimeLine, type TimeLineFigures, troubleOf } from "./time_line.ts";

const MAX_MODULES = 500;
const MAX_COMMANDS = 2_000;
/** Stands for all names beyond these limits; no module can have it. */
const OTHERS = "(others)";
const MAX_UNREAD_SAMPLES = 10;
const MAX_SAMPLE_LENGTH = 500;

/** A line that belongs to no event, with its position. */
export interface UnreadSample extends LinePlace {
  readonly text: string;
}

/** The document of `brokkr logs --json`. Fields may be added; existing ones keep their meaning. */
export interface LogSummary extends TroubleFigures {
  readonly files: readonly SourceFigures[];
  /** Times of the first and last selected event, `YYYY-MM-DD HH:MM:SS`; null if there is none. */
  readonly first: string | null;
  readonly last: string | null;
  /** From the first to the last event. */
  readonly lengthMs: number;
  /** Events whose time is ambiguous because clocks were set back; the order of the lines decides. */
  readonly ambiguous: number;
  readonly lines: number;
  /** Selected events. */
  readonly events: number;
  /** Other events. */
  readonly filtered: number;
  /** Lines that belong to no event, whatever was selected. */
  readonly unread: number;
  /** The first ten of them. */
  readonly unreadSamples: readonly UnreadSample[];
  readonly levels: Readonly<Record<LogLevel, number>>;
  readonly byEvent: Readonly<Partial<Record<EventId, number>>>;
  /** Sorted by trouble, then by calls. */
  readonly modules: readonly ModuleFigures[];
  readonly commands: readonly (CommandFigures & { readonly module: string; readonly command: string })[];
  readonly timeLine: TimeLineFigures;
}

export class Summary {
  readonly #filter: Filter | null;
  readonly #levels = { debug: 0, info: 0, warning: 0, error: 0, fatal: 0 };
  readonly #byEvent = new Map<EventId, { count: number }>();
  readonly #modules = new Map<string, ModuleCounts>();
  readonly #timeLine = new TimeLine();
  readonly #groups = new TroubleGroups();
  readonly #unreadSamples: UnreadSample[] = [];
  #commandCount = 0;
  #events = 0;
  #filtered = 0;
  #unread = 0;
  #first = Infinity;
  #last = -Infinity;
  #ambiguous = 0;

  constructor(filter: Filter | null) {
    this.#filter = filter;
  }

  add(item: LogItem): void {
    if (item.kind === "unread") return this.#addUnread(item);
    if (this.#filter !== null && !this.#filter(item)) {
      this.#filtered++;
      return;
    }
    const { event, level, time } = item;
    this.#events++;
    this.#levels[level]++;
    const known = this.#byEvent.get(event);
    if (known === undefined) this.#byEvent.set(event, { count: 1 });
    else known.count++;
    if (twinOf(time) !== null) this.#ambiguous++;
    if (time < this.#first) this.#first = time;
    if (time > this.#last) this.#last = time;
    const module = this.#module(subjectOf(item));
    module.add(item);
    if (event === "call.answered") {
      this.#command(module, item.fields.command).add(item);
      return this.#timeLine.answered(item.fields.ms, time);
    }
    if ("command" in item.fields) this.#command(module, item.fields.command ?? OTHERS).add(item);
    const trouble = troubleOf(item);
    if (trouble === null) return;
    this.#timeLine.trouble(trouble, time);
    this.#groups.add(item);
  }

  /** @param spans the maximum of spans in the time line. */
  result(files: readonly SourceFigures[], { spans }: { readonly spans: number }): LogSummary {
    const modules = [...this.#modules].map(([name, counts]) => counts.figures(name));
    const commands = [...this.#modules].flatMap(([module, { commands }]) =>
      [...commands].map(([command, counts]) => ({ module, command, ...counts.figures() }))
    );
    return {
      files,
      first: this.#events === 0 ? null : formatStamp(this.#first),
      last: this.#events === 0 ? null : formatStamp(this.#last),
      lengthMs: this.#events === 0 ? 0 : this.#last - this.#first,
      ambiguous: this.#ambiguous,
      lines: files.reduce((sum, { lines }) => sum + lines, 0),
      events: this.#events,
      filtered: this.#filtered,
      unread: this.#unread,
      unreadSamples: this.#unreadSamples,
      levels: this.#levels,
      byEvent: Object.fromEntries([...this.#byEvent].map(([event, { count }]) => [event, count]).sort()),
      modules: modules.sort((a, b) => byTrouble(a, b) || (a.name < b.name ? -1 : 1)),
      commands: commands.sort((a, b) => byTrouble(a, b) || (a.command < b.command ? -1 : 1)),
      ...this.#groups.figures(),
      timeLine: this.#timeLine.result(spans),
    };
  }

  #addUnread({ raw, file, line }: UnreadLine): void {
    this.#unread++;
    if (this.#unreadSamples.length >= MAX_UNREAD_SAMPLES) return;
    this.#unreadSamples.push({ file, line, text: ownText(raw.slice(0, MAX_SAMPLE_LENGTH)) });
  }

  #module(name: string): ModuleCounts {
    const known = this.#modules.get(name);
    if (known !== undefined) return known;
    if (this.#modules.size >= MAX_MODULES && name !== OTHERS) return this.#module(OTHERS);
    const counts = new ModuleCounts();
    this.#modules.set(ownText(name), counts);
    return counts;
  }

  #command(module: ModuleCounts, name: string): CommandCounts {
    const { commands } = module;
    const known = commands.get(name);
    if (known !== undefined) return known;
    if (this.#commandCount >= MAX_COMMANDS && name !== OTHERS) return this.#command(module, OTHERS);
    const counts = new CommandCounts();
    commands.set(ownText(name), counts);
    this.#commandCount++;
    return counts;
  }
}

/** The module or worker that an event is about: the one called, or the one whose process it is. */
function subjectOf({ event, module, fields }: ParsedEvent): string {
  // Nearly all lines of a DEBUG log are of these two, and `in` is slow.
  if (event === "call.answered") return fields.target;
  if (event === "command.executing") return module;
  if ("target" in fields) return fields.target;
  return "process" in fields ? fields.process : module;
}

function byTrouble(a: CommandFigures, b: CommandFigures): number {
  const trouble = (one: CommandFigures) => one.timeouts + one.errors + one.crashed;
  return trouble(b) - trouble(a) || b.retried - a.retried || b.calls - a.calls || b.executed - a.executed;
}
