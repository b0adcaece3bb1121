/**
 * A command called with each of many items: no more calls at the same time than are wanted, and no more results than the reader takes.
 */

import { inspect } from "../checks.ts";
import { type BrokerFault, toError } from "../faults.ts";
import { stackFrom } from "../log/stack.ts";
import type { CallOptions, MapOptions } from "../module/definition.ts";
import { isSignal, LEFT } from "./call.ts";

/** So many times the concurrency are at most begun and not taken: in order, results wait for a call that takes longer. */
const WINDOW = 4;

/** Calls for each worker at the same time: the next item is there when one is done. */
const CALLS_A_WORKER = 2;

export interface MapTarget {
  /** Name in errors. */
  readonly target: string;
  readonly call: (command: string, params: readonly unknown[], options: CallOptions) => Promise<unknown>;
  /** How many there are now. */
  readonly workers: () => number;
}

type Items = AsyncIterable<unknown> | Iterable<unknown>;
type Outcome = { readonly value: unknown } | { readonly error: unknown };

export class CallMap implements AsyncIterableIterator<unknown>, AsyncDisposable {
  readonly #target: MapTarget;
  readonly #items: Items;
  readonly #options: MapOptions;
  readonly #each: CallOptions;
  readonly #abort = new AbortController();
  readonly #forget: () => void;
  #reading: Promise<void> | undefined;
  /** Whether the source is asked for an item: it may never answer. */
  #asks = false;
  /** Items that were read. */
  #begun = 0;
  /** Calls under way. */
  #out = 0;
  /** By their place: in order that of the item, else that among those that are done. */
  readonly #outcomes = new Map<number, Outcome>();
  #places = 0;
  #taken = 0;
  #cancelled: BrokerFault<"CANCELLED"> | undefined;
  /** Whether no further item is read. */
  #isOver = false;
  /** Whether nothing is yielded any more. */
  #isEnded = false;
  #wakes: (() => void)[] = [];

  /** Nothing is read before the first `next()`. @throws {TypeError} */
  constructor(items: Items, options: MapOptions, target: MapTarget) {
    checkMap(items, options);
    const { command: _command, concurrency: _concurrency, ordered: _ordered, onProgress: _, signal, ...each } = options;
    this.#target = target;
    this.#items = items;
    this.#options = options;
    this.#each = { ...each, signal: this.#abort.signal };
    const cancel = () => this.#cancel();
    this.#forget = () => signal?.removeEventListener("abort", cancel);
    if (signal?.aborted === true) this.#cancel();
    else signal?.addEventListener("abort", cancel);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws {BrokerError} @throws what the source of the items throws */
  async next(): Promise<IteratorResult<unknown, undefined>> {
    this.#reading ??= this.#read();
    for (;;) {
      if (this.#cancelled !== undefined && !this.#isEnded) {
        await this.return();
        const error = toError(this.#cancelled, { target: this.#target.target, command: this.#options.command });
        throw stackFrom(error, this.next);
      }
      const outcome = this.#outcomes.get(this.#taken);
      if (this.#isEnded || (outcome === undefined && this.#isOver && this.#taken === this.#begun)) {
        return await this.return();
      }
      if (outcome === undefined) {
        await this.#change();
        continue;
      }
      this.#outcomes.delete(this.#taken++);
      this.#wake();
      if ("value" in outcome) return { value: outcome.value, done: false };
      await this.return();
      throw stackFrom(outcome.error, this.next);
    }
  }

  /** Cancels the calls that are under way, and ends the source. Settles when the calls have ended. */
  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#isEnded = this.#isOver = true;
    this.#forget();
    this.#outcomes.clear();
    this.#wake();
    if (this.#out > 0) this.#abort.abort(LEFT);
    while (this.#out > 0) await this.#change();
    if (!this.#asks) await this.#reading;
    return { value: undefined, done: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #read(): Promise<void> {
    try {
      if (this.#isOver) return;
      this.#asks = true;
      for await (const item of this.#items) {
        this.#asks = false;
        if (!this.#isOver) this.#begin(item);
        while (!this.#isOver && !this.#hasRoom) await this.#change();
        if (this.#isOver) break;
        this.#asks = true;
      }
    } catch (error) {
      this.#settle(this.#begun++, { error });
    } finally {
      this.#asks = false;
      this.#isOver = true;
      this.#wake();
    }
  }

  get #hasRoom(): boolean {
    const { concurrency = Math.max(1, this.#target.workers() * CALLS_A_WORKER) } = this.#options;
    return this.#out < concurrency && this.#begun - this.#taken < concurrency * WINDOW;
  }

  #begin(item: unknown): void {
    const index = this.#begun++;
    const { command, onProgress } = this.#options;
    const each = onProgress === undefined
      ? this.#each
      : { ...this.#each, onProgress: (value: unknown) => onProgress(value, index) };
    this.#out++;
    this.#target.call(command, [item], each).then(
      (value) => this.#done(index, { value }),
      (error) => this.#done(index, { error }),
    );
  }

  #done(index: number, outcome: Outcome): void {
    this.#out--;
    this.#settle(index, outcome);
  }

  #settle(index: number, outcome: Outcome): void {
    const { ordered = true } = this.#options;
    if ("error" in outcome) this.#isOver = true;
    if (!this.#isEnded) this.#outcomes.set(ordered ? index : this.#places++, outcome);
    this.#wake();
  }

  #cancel(): void {
    const cause: unknown = this.#options.signal?.reason;
    this.#cancelled = { code: "CANCELLED", acknowledged: this.#out === 0, cause };
    this.#isOver = true;
    this.#abort.abort(cause);
    this.#wake();
  }

  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#wakes.push(resolve));
  }
}

/** The options of the calls themselves are checked by each of them. */
function checkMap(items: unknown, options: unknown): void {
  const isIterable = typeof items === "string" || (typeof items === "object" && items !== null &&
    (Symbol.asyncIterator in items || Symbol.iterator in items));
  if (!isIterable) throw new TypeError(`Cannot map: items must be an iterable, and it is ${inspect(items)}`);
  const { command, concurrency, ordered, onProgress, signal }: { readonly [K in keyof MapOptions]?: unknown } =
    typeof options === "object" && options !== null ? options : {};
  if (typeof command !== "string") {
    throw new TypeError(`Cannot map: command must be a text, and it is ${inspect(command)}`);
  }
  const at = `Cannot map command "${command}"`;
  if (
    concurrency !== undefined && !(typeof concurrency === "number" && Number.isInteger(concurrency) && concurrency > 0)
  ) {
    throw new TypeError(`${at}: concurrency must be a whole number of at least 1, and it is ${inspect(concurrency)}`);
  }
  if (ordered !== undefined && typeof ordered !== "boolean") {
    throw new TypeError(`${at}: ordered must be true or false, and it is ${inspect(ordered)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError(`${at}: onProgress must be a function, and it is ${inspect(onProgress)}`);
  }
  if (signal !== undefined && !isSignal(signal)) {
    throw new TypeError(`${at}: signal must be an AbortSignal, and it is ${inspect(signal)}`);
  }
}
