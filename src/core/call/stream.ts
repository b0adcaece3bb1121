/**
 * The items of a command that yields them, both ends: the caller's, which holds what came and was not taken and gives credit for what
 * was, and the callee's, which runs the handler as far as the caller has room.
 *
 * @module
 */

import { type BrokerFault, toError } from "../faults.ts";
import { Call, type CallRequest } from "./call.ts";
import type { CallClient } from "./client.ts";

/** Items taken that the callee is told of at once; what waits for more of them is told at the latest when nothing is left. */
const TOLD_AT_ONCE = 128;

/** How many times its window a callee may be ahead: one in another language may measure its items otherwise. */
const OVERRUN = 2;

/** To whom the call goes, chosen when the first item is asked for. */
export interface StreamTarget {
  readonly caller: CallClient;
  readonly options: CallRequest;
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
    if (this.#aheadItems >= OVERRUN * WINDOW_ITEMS || this.#aheadBytes >= OVERRUN * WINDOW_BYTES) {
      if (this.#call !== undefined) this.#call.pending?.overrun(this.#call);
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
    if (this.#call !== undefined) this.#call.pending?.took(this.#call, this.#taken);
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
    if (this.#call !== undefined) this.#call.pending?.expect(this.#call);
    await new Promise<void>((resolve) => this.#wakes.push(resolve));
  }
}

/** Items that the caller has not taken yet: beyond it the handler waits. */
export const WINDOW_BYTES = 256 * 1024;
export const WINDOW_ITEMS = 1_024;

/** What the handler returned, or why its items could not all be sent. */
export type StreamEnd = { readonly value: unknown } | BrokerFault;

/** Hands one item over. Returns its bytes, or why it can't be sent. */
export type SendItem = (item: unknown) => number | BrokerFault;

export class OutgoingStream {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  /** Bytes of the items that were not taken yet, oldest first. */
  #sizes: number[] = [];
  #bytes = 0;
  #taken = 0;
  #wake: (() => void) | undefined;
  #isStopped = false;
  #end: StreamEnd = { value: undefined };
  /** What `return` of the handler's iterator comes to, once the stream is stopped. */
  readonly #stopped: Promise<StreamEnd>;
  #settleStopped: (end: Promise<StreamEnd>) => void = () => {};

  constructor(iterable: AsyncIterable<unknown> | Iterable<unknown>) {
    this.#stopped = new Promise((resolve) => this.#settleStopped = resolve);
    this.#iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  }

  /**
   * Sends item after item; resolves with what the handler returned, or with why an item could not be sent.
   *
   * @throws whatever the handler's iterator throws.
   */
  async run(send: SendItem): Promise<StreamEnd> {
    // An iterator that was told to end may leave its last step open for ever.
    return await Promise.race([this.#steps(send), this.#stopped]);
  }

  async #steps(send: SendItem): Promise<StreamEnd> {
    while (!this.#isStopped) {
      const step = await this.#iterator.next();
      if (step.done === true) return { value: step.value };
      if (this.#isStopped) break;
      const sent = send(step.value);
      if (typeof sent !== "number") {
        this.#end = sent;
        this.stop();
        break;
      }
      this.#sizes.push(sent);
      this.#bytes += sent;
      if (this.#bytes >= WINDOW_BYTES || this.#sizes.length >= WINDOW_ITEMS) await this.#room();
    }
    return await this.#stopped;
  }

  /** The caller has taken `count` items since the stream began. */
  took(count: number): void {
    const taken = this.#sizes.splice(0, Math.max(0, count - this.#taken));
    this.#taken += taken.length;
    for (const bytes of taken) this.#bytes -= bytes;
    this.#wake?.();
  }

  /** Ends the handler at its next `yield`: its `finally` blocks run. Whoever runs the stream gets what they throw. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#settleStopped(this.#return());
    this.#wake?.();
  }

  /** Async, so that nothing is thrown at who stops the stream, not even by an iterator whose `return` is no async function. */
  async #return(): Promise<StreamEnd> {
    await this.#iterator.return?.();
    return this.#end;
  }

  async #room(): Promise<void> {
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
  }
}
