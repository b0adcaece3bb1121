/**
 * The items of a command that yields them, at both ends: the caller's, which holds the items that were not taken yet and gives credit
 * for those that were, and the callee's, which runs the handler as far as the credit goes.
 */

import { inspect } from "../checks.ts";
import { type BrokerFault, toError } from "../faults.ts";
import type { Params } from "../wire/serializable.ts";
import { Call, type CallRequest } from "./call.ts";
import { applyUser } from "../user_code.ts";

/** Credit is given when so many items were taken, and at the latest when no item is left. */
const CREDIT_STEP = 128;

/** Windows that a callee may be ahead: a peer in another language may measure its items differently. */
const OVERRUN = 2;

/** Makes the calls to one callee; `client.ts` has it. */
export interface Caller {
  call(command: string, params: readonly unknown[], request: CallRequest): Promise<unknown>;
  submit(call: Call, params: Params): void;
  /** Cancels a call that has no outcome yet. */
  cancel(call: Call): void;
  /** The caller of a stream wants no more of it. */
  leave(call: Call): void;
}

/** Where a stream's call goes, chosen at the first `next()`. */
export interface StreamTarget {
  readonly caller: Caller;
  readonly options: CallRequest;
}

export class CallStream implements AsyncIterableIterator<unknown>, AsyncDisposable {
  readonly #command: string;
  readonly #params: Params;
  readonly #open: () => StreamTarget | Promise<StreamTarget>;
  #opening: Promise<void> | undefined;
  #target: StreamTarget | undefined;
  #call: Call | undefined;
  #items: unknown[] = [];
  /** Bytes of each item. */
  #sizes: number[] = [];
  #next = 0;
  #taken = 0;
  #credited = 0;
  /** Items that came and for which no credit was given yet. */
  #aheadItems = 0;
  #aheadBytes = 0;
  /** Bytes of those of them that were taken. */
  #uncreditedBytes = 0;
  #end: { readonly value: unknown } | { readonly fault: BrokerFault } | undefined;
  #wakes: (() => void)[] = [];

  /** Nothing is sent before the first `next()`. */
  constructor(command: string, params: Params, open: () => StreamTarget | Promise<StreamTarget>) {
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

  /** Ends the command: items that were not taken are dropped. Settles when the handler has ended, or 100 ms later. */
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

  /** A caller that cancels gets no item that came before. */
  get #hasItem(): boolean {
    return this.#next < this.#items.length && this.#call?.state !== "cancelling";
  }

  /** The promise of a start that is asynchronous. */
  #start(): Promise<void> | undefined {
    if (this.#target !== undefined || this.#end !== undefined) return undefined;
    if (this.#opening !== undefined) return this.#opening;
    const target = this.#open();
    if (target instanceof Promise) return this.#opening = target.then((opened) => this.#begin(opened));
    this.#begin(target);
    return undefined;
  }

  #begin(target: StreamTarget): void {
    // `return` may have been called meanwhile.
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
      // A signal of the program's own making may throw: then no call ends the stream.
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
    this.#uncreditedBytes += this.#sizes[this.#next] ?? 0;
    this.#items[this.#next++] = undefined;
    this.#taken++;
    const isEmpty = this.#next === this.#items.length;
    if (isEmpty) this.#drop();
    if (isEmpty || this.#taken - this.#credited >= CREDIT_STEP) this.#credit();
    return item;
  }

  #drop(): void {
    this.#items = [];
    this.#sizes = [];
    this.#next = 0;
  }

  #credit(): void {
    this.#aheadItems -= this.#taken - this.#credited;
    this.#aheadBytes -= this.#uncreditedBytes;
    this.#uncreditedBytes = 0;
    this.#credited = this.#taken;
    if (this.#call !== undefined) this.#call.pending?.took(this.#call, this.#taken);
  }

  /** The result behind the last item: the end, or the error, once. */
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
    // The callee's time runs while the caller waits here, not while it works on an item.
    if (this.#call !== undefined) this.#call.pending?.expect(this.#call);
    await new Promise<void>((resolve) => this.#wakes.push(resolve));
  }
}

/** Credit of a stream: beyond so many items that the caller has not taken, the handler waits. */
export const WINDOW_BYTES = 256 * 1024;
export const WINDOW_ITEMS = 1_024;

/** What the handler returned, or why its items could not all be sent. */
export type StreamEnd = { readonly value: unknown } | BrokerFault;

/** Sends one item. Returns its bytes, or why it can't be sent. */
export type SendItem = (item: unknown) => number | BrokerFault;

/** The items of a handler on their way to the caller: as many as there is credit for. */
export class OutgoingStream {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  /** Bytes of the items that were not taken yet, oldest first. */
  #sizes: number[] = [];
  #bytes = 0;
  #taken = 0;
  #wake: (() => void) | undefined;
  #isStopped = false;
  #end: StreamEnd = { value: undefined };
  /** Settles with the `return` of the handler's iterator, once the stream is stopped. */
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
    // An iterator that was stopped may never settle its last step.
    return await Promise.race([this.#steps(send), this.#stopped]);
  }

  /** By callbacks: engines add an async function that waits to the stack of what the handler throws. */
  #steps(send: SendItem): Promise<StreamEnd> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown) => reject(error);
      const next = () => {
        if (this.#isStopped) return resolve(this.#stopped);
        try {
          Promise.resolve(userStep("next", this.#iterator.next, this.#iterator)).then(took, failed);
        } catch (error) {
          reject(error);
        }
      };
      const took = (step: IteratorResult<unknown>) => {
        try {
          // As a loop of the language would: whatever has no fields would be an endless list of nothing.
          if (Object(step) !== step) throw new TypeError(`iterator result ${inspect(step)} is not an object`);
          if (step.done === true) return resolve({ value: step.value });
          if (!this.#isStopped) this.#send(step.value, send);
        } catch (error) {
          return reject(error);
        }
        const isFull = this.#bytes >= WINDOW_BYTES || this.#sizes.length >= WINDOW_ITEMS;
        if (isFull && !this.#isStopped) this.#wake = next;
        else next();
      };
      next();
    });
  }

  #send(item: unknown, send: SendItem): void {
    const sent = send(item);
    if (typeof sent !== "number") {
      this.#end = sent;
      return this.stop();
    }
    this.#sizes.push(sent);
    this.#bytes += sent;
  }

  /** The caller has taken `count` items since the stream began. */
  took(count: number): void {
    const taken = this.#sizes.splice(0, Math.max(0, count - this.#taken));
    this.#taken += taken.length;
    for (const bytes of taken) this.#bytes -= bytes;
    this.#goOn();
  }

  /** Ends the handler at its next `yield`: its `finally` blocks run. `run` rejects with what they throw. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#settleStopped(this.#return());
    this.#goOn();
  }

  #goOn(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Async, so that `stop` throws nothing, even where the iterator's `return` is no async function. */
  async #return(): Promise<StreamEnd> {
    const { return: leave } = this.#iterator;
    if (leave) await userStep("return", leave, this.#iterator);
    return this.#end;
  }
}

/** What a method of the handler's iterator gives. */
function userStep<Step>(
  name: "next" | "return",
  method: () => Step | Promise<Step>,
  iterator: unknown,
): Step | Promise<Step> {
  if (typeof method !== "function") throw new TypeError(`${name} of its iterator is not a function`);
  return applyUser(method, iterator, []);
}
