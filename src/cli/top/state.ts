/** What `brokkr top` shows, and what each key does to it. */

import type { BrokerStatus } from "../../core/broker/status.ts";
import type { ProcessStatus } from "../../core/wire/status.ts";
import type { SentRecord } from "../../core/control/protocol.ts";
import { memoryOf, type ProcessRow, processRows } from "../status_rows.ts";

const KEPT_RECORDS = 1_000;

type View = "processes" | "process" | "log" | "help";

/** An action that is waiting for confirmation. */
export interface Question {
  readonly action: "restart" | "stop";
  readonly name: string;
}

export class TopState {
  view: View = "processes";
  order: Order = "name";
  isPaused = false;
  question: Question | null = null;
  /** The outcome of the last action. */
  notice = "";
  status: BrokerStatus | null = null;
  rows: readonly Row[] = [];
  /** Name of the selected process; it stays selected when the order changes. */
  selected: string | null = null;
  /** How far a log is scrolled back from its end, or any other view down from its beginning. */
  scrolled = 0;
  readonly records: SentRecord[] = [];
  #seenAt = 0;
  readonly #keys: ReadonlyMap<string, () => void> = new Map([
    ["up", () => this.#move(-1)],
    ["k", () => this.#move(-1)],
    ["down", () => this.#move(1)],
    ["j", () => this.#move(1)],
    ["page-up", () => this.#page(-10)],
    ["page-down", () => this.#page(10)],
    ["home", () => this.#move(-Infinity)],
    ["end", () => this.#move(Infinity)],
    ["s", () => this.#sort()],
    [" ", () => this.isPaused = !this.isPaused],
    ["p", () => this.isPaused = !this.isPaused],
    ["r", () => this.#ask("restart")],
    ["x", () => this.#ask("stop")],
    ["enter", () => this.#show("process")],
    ["l", () => this.#show("log")],
    ["?", () => this.#show("help")],
    ["h", () => this.#show("help")],
    ["escape", () => this.#show("processes")],
    ["q", () => this.#show("processes")],
  ]);

  get selectedRow(): Row | undefined {
    return this.rows.find(({ status }) => status.name === this.selected) ?? this.rows[0];
  }

  see(status: BrokerStatus, now: number): void {
    if (this.isPaused) return;
    this.rows = sorted(rowsOf(status, this.status, now - this.#seenAt), this.order);
    this.status = status;
    this.#seenAt = now;
    this.selected ??= this.rows[0]?.status.name ?? null;
  }

  hear(record: SentRecord): void {
    this.records.push(record);
    if (this.records.length > KEPT_RECORDS) this.records.shift();
  }

  /** Returns what is to be done outside the screen. */
  press(key: string): "quit" | Question | null {
    if (key === "quit" || (key === "q" && this.view === "processes")) return "quit";
    if (this.question !== null) return this.#answer(key, this.question);
    this.notice = "";
    this.#keys.get(key)?.();
    return null;
  }

  #sort(): void {
    this.order = ORDERS[(ORDERS.indexOf(this.order) + 1) % ORDERS.length] ?? "name";
    this.rows = sorted(this.rows, this.order);
  }

  /** A worker can be restarted alone, but stops only with its module. */
  #ask(action: Question["action"]): void {
    const row = this.selectedRow;
    if (row === undefined) return;
    this.question = { action, name: action === "stop" ? row.module ?? row.status.name : row.status.name };
  }

  #answer(key: string, question: Question): Question | null {
    this.question = null;
    return key === "y" || key === "Y" ? question : null;
  }

  #show(view: View): void {
    this.view = view;
    this.scrolled = 0;
  }

  /** Nothing is shown below the last line. */
  scrollAtMost(lines: number): void {
    this.scrolled = Math.max(0, Math.min(this.scrolled, lines));
  }

  #page(by: number): void {
    if (this.view === "processes" || this.view === "log") this.#move(by);
    else this.scrolled = Math.max(0, this.scrolled + by);
  }

  #move(by: number): void {
    if (this.view === "log") {
      this.scrolled = Math.max(0, Math.min(this.scrolled - by, this.records.length));
      return;
    }
    const at = this.rows.findIndex(({ status }) => status.name === this.selected);
    const next = Math.max(0, Math.min(this.rows.length - 1, at + by));
    this.selected = this.rows[next]?.status.name ?? null;
  }
}

export interface Row extends ProcessRow {
  readonly callsPerSecond: number;
  /** Whether it needs attention. */
  readonly isBad: boolean;
}

/** Sort orders, in the sequence of the key. */
const ORDERS = ["name", "memory", "calls", "p99", "errors", "restarts"] as const;
type Order = (typeof ORDERS)[number];

/** @param before the status `ms` ago. */
function rowsOf(now: BrokerStatus, before: BrokerStatus | null, ms: number): Row[] {
  const old = new Map(processRows(before ?? { modules: [] }).map(({ status }) => [status.name, status]));
  return processRows(now).map(({ status, module }) => {
    const last = old.get(status.name);
    const more = last === undefined ? 0 : answered(status) - answered(last);
    const isBad = status.state === "failed" || status.state === "backoff" || status.blocked ||
      (last !== undefined && bad(status) > bad(last));
    return { status, module, callsPerSecond: ms > 0 ? Math.max(0, (more * 1_000) / ms) : 0, isBad };
  });
}

/** By name, workers stay below their module; by a figure, the largest comes first. */
function sorted(rows: readonly Row[], order: Order): Row[] {
  if (order === "name") return [...rows];
  const figure = FIGURES[order];
  return rows.toSorted((one, other) => figure(other) - figure(one));
}

const FIGURES: Readonly<Record<Exclude<Order, "name">, (row: Row) => number>> = {
  memory: ({ status }) => memoryOf(status) ?? 0,
  calls: ({ callsPerSecond }) => callsPerSecond,
  p99: ({ status }) => status.latencyMs.p99 ?? 0,
  errors: ({ status }) => bad(status),
  restarts: ({ status }) => status.restarts,
};

function answered({ calls }: ProcessStatus): number {
  return calls.ok + calls.retried + calls.error + calls.timeout + calls.cancelled;
}

function bad({ calls }: ProcessStatus): number {
  return calls.error + calls.timeout;
}
