/**
 * The items of a command that yields them, from the side of its caller: an async iterable that holds what came and was not taken,
 * and tells the callee what was.
 *
 * @module
 */

import { Call } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { SubmitOptions } from "./caller_options.ts";
import { WINDOW_BYTES, WINDOW_ITEMS } from "./outgoing_stream.ts";
import { type BrokerFault, toError } from "../faults.ts";

/** Items taken that the callee is told of at once; what waits for more of them is told at the latest when nothing is left. */
const TOLD_AT_ONCE = 128;

/** How many times its window a callee may be ahead: one in another language may measure its items otherwise. */
const OVERRUN = 2;

/** To whom the call goes, chosen when the first item is asked for. */
export interface StreamTarget {
  readonly caller: Caller;
  readonly options: SubmitOptions;
}

export class CallStream implements AsyncIterableIterator<unknown>, AsyncDisposable {
  readonly #command: string;
  readonly #params: readonly unknown[];
  readonly #open: () => StreamTarget | Promise<StreamTarget>;
  #opening: Promise<void> | undefined;
  #target: StreamTarget | undefined;
  #call: Call | undefined;
  #items: unknown[] = [];
  /** Bytes of each item. */
  #sizes: number[] = [];
  #next = 0;
  #taken = 0;
  #told = 0;
  /** What came and the callee was not told to be taken: it may send so much and no more. */
  #aheadItems = 0;
  #aheadBytes = 0;
  /** Bytes of what was taken of it. */
  #untoldBytes = 0;
  #isOverrun = false;
  #end: { readonly value: unknown } | { readonly fault: BrokerFault } | undefined;
  #wakes: (() => void)[] = [];

  /** Nothing is sent before the first `next()`. */
  constructor(command: string, params: readonly unknown[], open: () => StreamTarget | Promise<StreamTarget>) {
    this.#command = command;
    this.#params = params;
    this.#open = open;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws {BrokerError} */
  async next(): Promise<IteratorResult<unknown, unknown>> {
    const opening = this.#start();
    if (opening !== undefined) await opening;
    while (!this.#hasItem && this.#end === undefined) await this.#change();
    if (this.#hasItem) return { value: this.#take(), done: false };
    return this.#over();
  }

  /** Ends the command: what it yielded and was not taken is dropped. Settles when its handler has ended, or after a while. */
  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.#drop();
    if (this.#target === undefined) this.#end ??= { value: undefined };
    if (this.#call !== undefined) this.#target?.caller.leave(this.#call);
    while (this.#end === undefined) await this.#change();
    this.#end = { value: undefined };
    return { value: await value, done: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Who cancels wants none of what came before. */
  get #hasItem(): boolean {
    return this.#next < this.#items.length && this.#call?.state !== "cancelling";
  }

  /** The promise of a start that takes a while. */
  #start(): Promise<void> | undefined {
    if (this.#target !== undefined || this.#end !== undefined) return undefined;
    if (this.#opening !== undefined) return this.#opening;
    const target = this.#open();
    if (target instanceof Promise) return this.#opening = target.then((opened) => this.#begin(opened));
    this.#begin(target);
    return undefined;
  }

  #begin(target: StreamTarget): void {
    // It may have been left meanwhile.
    if (this.#end !== undefined) return;
    this.#target = target;
    const options = {
      ...target.options,
      wire: { ...target.options.wire, stream: true },
      onItem: (item: unknown, bytes: number) => this.#arrived(item, bytes),
    };
    this.#call = new Call(this.#command, options, {
      resolve: (value) => this.#ended({ value }),
      reject: (fault) => this.#ended({ fault }),
    });
    try {
      target.caller.submit(this.#call, this.#params);
    } catch (error) {
      // A signal of the program's own make may throw: there is no call that would end the stream.
      this.#end = { value: undefined };
      throw error;
    }
  }

  #arrived(item: unknown, bytes: number): void {
    if (this.#isOverrun) return;
    if (this.#aheadItems >= OVERRUN * WINDOW_ITEMS || this.#aheadBytes >= OVERRUN * WINDOW_BYTES) {
      this.#isOverrun = true;
      if (this.#call !== undefined) this.#call.exchange?.overrun(this.#call);
      return;
    }
    this.#aheadItems++;
    this.#aheadBytes += bytes;
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#wake();
  }

  #ended(end: { value: unknown } | { fault: BrokerFault }): void {
    this.#end ??= end;
    if ("fault" in end && end.fault.code === "CANCELLED") this.#drop();
    this.#wake();
  }

  #take(): unknown {
    const item = this.#items[this.#next];
    this.#untoldBytes += this.#sizes[this.#next] ?? 0;
    this.#items[this.#next++] = undefined;
    this.#taken++;
    const isEmpty = this.#next === this.#items.length;
    if (isEmpty) this.#drop();
    if (isEmpty || this.#taken - this.#told >= TOLD_AT_ONCE) this.#tell();
    return item;
  }

  #drop(): void {
    this.#items = [];
    this.#sizes = [];
    this.#next = 0;
  }

  #tell(): void {
    this.#aheadItems -= this.#taken - this.#told;
    this.#aheadBytes -= this.#untoldBytes;
    this.#untoldBytes = 0;
    this.#told = this.#taken;
    if (this.#call !== undefined) this.#call.exchange?.took(this.#call, this.#taken);
  }

  /** What a stream gives after its last item: the end, or its error, once. */
  #over(): IteratorResult<unknown, unknown> {
    const end = this.#end ?? { value: undefined };
    this.#end = { value: undefined };
    if ("value" in end) return { value: end.value, done: true };
    throw toError(end.fault, { target: this.#target?.options.target ?? "", command: this.#command });
  }

  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }

  async #change(): Promise<void> {
    // Whoever waits here has time for an answer; whoever works on an item lets the callee wait.
    if (this.#call !== undefined) this.#call.exchange?.expect(this.#call);
    await new Promise<void>((resolve) => this.#wakes.push(resolve));
  }
}
