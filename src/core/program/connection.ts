/** JSON-RPC 2.0 with a peer over a channel: requests both ways, notifications both ways, batches as they come. */

import type { Channel, Clock } from "../../runtime/runtime.ts";
import { UnansweredError } from "../call/server.ts";
import { messageText } from "../wire/codec.ts";
import { isNestedDeeper, MAX_BODY_DEPTH } from "../wire/frame.ts";
import { frameMessage, FramingError, type MessageReader, newReader } from "./framing.ts";
import { JsonRpcError, type Message, type MessageId, type Params, readMessage } from "./message.ts";
import { PeerRequests } from "./peer_requests.ts";
import { attempt, cutText } from "../checks.ts";
import { messageOf } from "../user_code.ts";
import type { Framing } from "../settings/settings.ts";

export interface Notification {
  readonly method: string;
  readonly params: Params;
}

export interface Progress {
  /** The token that the request carried. */
  readonly token: unknown;
  readonly value: unknown;
}

/** What JSON-RPC leaves open and each family of programs settles for itself. */
export interface Conventions {
  /** The notification that cancels request `id` at the peer. */
  cancel(id: number): Notification;
  /** The request that a peer's notification cancels, where it does. */
  cancelledId(notification: Notification): MessageId | undefined;
  /** Parameters that ask for progress, and the token that it comes under; `id` is one that no other request has. */
  withToken(params: Params, id: number): { readonly params: Params; readonly token: unknown };
  /** The progress that a peer's notification reports, where it does. */
  progress(notification: Notification): Progress | undefined;
}

/** A cancelled request may still be answered; after this time nobody waits for that. */
const CANCELLED_MS = 5_000;
/** A peer that lets so much wait does not read what it is sent. */
const UNREAD_LIMIT_BYTES = 64 * 1024 * 1024;

/** Of a text of the peer, in a line about what is left out. */
const MAX_SHOWN = 1_000;
/** Of a batch: each of its messages that can't be read is answered, at forty times its length. */
const MAX_BATCH = 20_000;

/** Characters of a line in which a message is looked for that has something printed before it, and braces that may begin it. */
const PRINTED_LIMIT = 4_096;
const PRINTED_TRIES = 8;

export class ConnectionClosedError extends Error {
  override readonly name = "ConnectionClosedError";
}

export interface ConnectionEvents {
  /** Something that stands where a message should: no JSON (`parse`), or not of JSON-RPC (`invalid`). */
  stray(text: string, why: "parse" | "invalid"): void;
  dropped(what: string): void;
  notification(notification: Notification): void;
  /** Runs a peer's request. What it throws is the answer's error: its `code`, `message` and `data`. */
  request(method: string, params: Params, signal: AbortSignal): unknown;
  drained(): void;
  /**
   * Called once: nothing more comes. `reason` is null where the peer just ended its output; its requests go on. With `failed` it is
   * the transport's.
   */
  closed(reason: string | null, failed: boolean): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly framing: Framing;
  readonly conventions: Conventions;
  readonly events: ConnectionEvents;
  /** Whether what the peer printed without a line end may stand before a message in its line. @default false */
  readonly mayPrint?: boolean;
  /** Bytes of one message that comes. @default 16 MiB */
  readonly limit?: number;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Receives the progress that the peer reports while the request runs. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Connection {
  readonly #channel: Channel;
  readonly #options: ConnectionOptions;
  readonly #reader: MessageReader;
  readonly #peer: PeerRequests;
  readonly #waiting = new Map<number, Waiting>();
  /** By the token that the request carried. */
  readonly #progress = new Map<unknown, (value: unknown) => void>();
  #lastId = 0;
  #inputEnded = false;
  #heardAt: number;

  constructor(channel: Channel, options: ConnectionOptions) {
    const { events, framing, limit } = options;
    this.#channel = channel;
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#peer = new PeerRequests({ run: events.request, send: (message) => this.#send(message) });
    this.#reader = newReader(framing, {
      message: (text) => this.#taking(text),
      stray: (line) => events.stray(line, "parse"),
      dropped: (what) => events.dropped(what),
    }, limit);
    channel.open({
      data: (chunk) => this.#data(chunk),
      drained: () => events.drained(),
      closed: (error) => this.#ended(error),
    });
  }

  /** When bytes last came, on the clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  get unsentBytes(): number {
    return this.#channel.unsentBytes;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** @throws {JsonRpcError} when the peer answers with an error. @throws {ConnectionClosedError} @throws {UnansweredError} */
  async request(method: string, params: Params, { signal, onProgress }: RequestOptions = {}): Promise<unknown> {
    if (this.#inputEnded) throw new ConnectionClosedError("the connection is closed");
    const id = ++this.#lastId;
    const { conventions } = this.#options;
    const asked = onProgress === undefined ? { params, token: undefined } : conventions.withToken(params, id);
    const { promise, forget } = this.#wait(id);
    if (onProgress !== undefined && asked.token !== undefined) this.#progress.set(asked.token, onProgress);
    const cancel = () => {
      this.notify(conventions.cancel(id));
      stopWaiting = this.#options.clock.timer(CANCELLED_MS, () => forget("the request was cancelled"));
    };
    let stopWaiting = () => {};
    try {
      this.#send({ jsonrpc: "2.0", id, method, ...withParams(asked.params) });
      if (signal?.aborted) cancel();
      else signal?.addEventListener("abort", cancel, { once: true });
      return await promise;
    } finally {
      this.#waiting.delete(id);
      this.#progress.delete(asked.token);
      signal?.removeEventListener("abort", cancel);
      stopWaiting();
    }
  }

  notify({ method, params }: Notification): void {
    this.#send({ jsonrpc: "2.0", method, ...withParams(params) });
  }

  /** Tells the peer that what it sent could not be read. */
  refuse(why: "parse" | "invalid"): void {
    this.#peer.refuse(why, undefined);
  }

  async idle(): Promise<void> {
    await this.#peer.idle();
  }

  /** Ends what goes to the peer, after what was sent is out; what the peer still says is read. Its requests are aborted. */
  close(): void {
    this.#peer.abort();
    this.#channel.close();
  }

  #wait(id: number) {
    let forget = (_why: string) => {};
    const promise = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      forget = (why) => reject(new UnansweredError(why));
    });
    return { promise, forget };
  }

  #send(message: object): void {
    this.#channel.write(frameMessage(this.#options.framing, messageText(message)));
    if (this.#channel.unsentBytes > UNREAD_LIMIT_BYTES) this.#end("it does not read its input");
  }

  #data(chunk: Uint8Array): void {
    if (this.#inputEnded) return;
    this.#heardAt = this.#options.clock.now();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#end(messageOf(error));
      if (!(error instanceof FramingError)) this.#options.clock.throwUncaught(error);
    }
  }

  /** Only what its messages are is held against the peer: what this side's own code throws is an uncaught error of this process. */
  #taking(text: string): void {
    try {
      this.#take(text);
    } catch (error) {
      this.#options.clock.throwUncaught(error);
    }
  }

  #take(text: string): void {
    const { events } = this.#options;
    const value: unknown = attempt(() => JSON.parse(text));
    if (value === undefined) return this.#takeBehind(text);
    if (Array.isArray(value) && value.length > MAX_BATCH) return events.stray(text, "invalid");
    const isTooDeep = isNestedDeeper(text, value, MAX_BODY_DEPTH);
    if (isTooDeep) events.dropped(`message nested deeper than ${MAX_BODY_DEPTH}`);
    const messages = (Array.isArray(value) ? value : [value]).map(readMessage)
      // An answer ends its request, whatever it holds: the result is refused on its way to the caller.
      .map((message) => isTooDeep && message !== undefined && "method" in message ? undefined : message);
    if (!isTooDeep && messages.every((message) => message === undefined)) return events.stray(text, "invalid");
    const batch = Array.isArray(value) ? this.#peer.batch() : undefined;
    for (const message of messages) this.#dispatch(message, batch);
    if (batch !== undefined) this.#peer.endBatch(batch);
  }

  /** A message behind what the peer printed without a line end. */
  #takeBehind(text: string): void {
    const at = this.#options.mayPrint === true ? messageStart(text) : -1;
    this.#options.events.stray(at === -1 ? text : text.slice(0, at), "parse");
    if (at !== -1) this.#take(text.slice(at));
  }

  #dispatch(message: Message | undefined, batch: ReturnType<PeerRequests["batch"]> | undefined): void {
    if (message === undefined) this.#peer.refuse("invalid", batch);
    else if (message.kind === "request") this.#peer.take(message, batch);
    else if (message.kind === "notification") this.#notified(message);
    else this.#answered(message);
  }

  #notified({ method, params }: Notification): void {
    const { conventions, events } = this.#options;
    const notification = { method, params };
    const cancelled = conventions.cancelledId(notification);
    if (cancelled !== undefined) return this.#peer.cancel(cancelled);
    const progress = conventions.progress(notification);
    const onProgress = progress === undefined ? undefined : this.#progress.get(progress.token);
    if (onProgress !== undefined) onProgress(progress?.value);
    else events.notification(notification);
  }

  #answered(answer: Extract<Message, { kind: "result" | "error" }>): void {
    const id = ownId(answer.id);
    const waiting = typeof id === "number" ? this.#waiting.get(id) : undefined;
    if (waiting === undefined) return this.#stray(id, answer.kind === "error" ? answer.error.message : null);
    if (answer.kind === "result") waiting.resolve(answer.result);
    else waiting.reject(new JsonRpcError(answer.error));
  }

  /** An answer to what was cancelled or given up is no fault; any other is. */
  #stray(id: MessageId, error: string | null): void {
    if (typeof id === "number" && Number.isInteger(id) && id >= 1 && id <= this.#lastId) return;
    const what = error === null ? "" : `, error ${JSON.stringify(cutText(error, MAX_SHOWN))}`;
    const shown = typeof id === "string" ? cutText(id, MAX_SHOWN) : id;
    this.#options.events.dropped(`answer to no request (id ${JSON.stringify(shown)}${what})`);
  }

  #ended(error: Error | undefined): void {
    if (this.#inputEnded) return;
    this.#reader.end();
    this.#finish(error?.message ?? null, error !== undefined);
  }

  #end(reason: string): void {
    if (!this.#inputEnded) this.#finish(reason, false);
  }

  #finish(reason: string | null, failed: boolean): void {
    this.#inputEnded = true;
    if (reason !== null) this.close();
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new ConnectionClosedError("the connection was closed"));
    }
    this.#waiting.clear();
    this.#options.events.closed(reason, failed);
  }
}

/** Servers made with LSP4J, and others, give the number of a request back as a text, and most clients take it for the number. */
function ownId(id: MessageId): MessageId {
  return typeof id === "string" && /^[1-9]\d{0,14}$/.test(id) ? Number(id) : id;
}

function withParams(params: Params): { params?: Params } {
  return params === undefined ? {} : { params };
}

/** Where a message begins in a line that is none as a whole, or -1. */
function messageStart(line: string): number {
  let at = -1;
  for (let tries = 0; tries < PRINTED_TRIES; tries++) {
    at = line.indexOf("{", at + 1);
    if (at === -1 || at > PRINTED_LIMIT) return -1;
    const value: unknown = attempt(() => JSON.parse(line.slice(at)));
    if (value !== undefined && readMessage(value) !== undefined) return at;
  }
  return -1;
}
