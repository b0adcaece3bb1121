/**
 * JSON-RPC 2.0 with a peer over a channel: requests both ways, notifications both ways, batches as they come.
 *
 * @module
 */

import type { Channel, Clock } from "../../runtime/runtime.ts";
import type { Conventions, Notification } from "./conventions.ts";
import { frameMessage, type Framing, type MessageReader, newReader } from "./framing.ts";
import { JsonRpcError } from "./json_rpc_error.ts";
import { type Message, type MessageId, type Params, readMessage } from "./message.ts";
import { PeerRequests } from "./peer_requests.ts";

/** A cancelled request may still be answered; after this time nobody waits for that. */
const CANCELLED_MS = 5_000;
/** A peer that lets so much wait does not read what it is sent. */
const UNREAD_LIMIT_BYTES = 64 * 1024 * 1024;

export interface ConnectionEvents {
  /** Something that stands where a message should: no JSON (`parse`), or not of JSON-RPC (`invalid`). */
  stray(text: string, why: "parse" | "invalid"): void;
  /** Something that was left out, as the object of "dropped". */
  dropped(what: string): void;
  notification(notification: Notification): void;
  /** Runs a peer's request. What it throws is the answer's error: its `code`, `message` and `data`. */
  request(method: string, params: Params, signal: AbortSignal): unknown;
  /** Room in the transport again. */
  drained(): void;
  /** Called once: nothing more comes. `reason` is null where the peer just ended its output; its requests go on. */
  closed(reason: string | null): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly framing: Framing;
  readonly conventions: Conventions;
  readonly events: ConnectionEvents;
  /** Bytes of one message that comes. @default 16 MiB */
  readonly limit?: number;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gets what the peer tells of the request while it runs. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
}

/** The connection ended while a request waited. */
export class ConnectionClosedError extends Error {
  override readonly name = "ConnectionClosedError";
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  readonly onProgress: ((value: unknown) => void) | undefined;
}

export class Connection {
  readonly #channel: Channel;
  readonly #options: ConnectionOptions;
  readonly #reader: MessageReader;
  readonly #peer: PeerRequests;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #inputEnded = false;

  constructor(channel: Channel, options: ConnectionOptions) {
    const { events, framing, limit } = options;
    this.#channel = channel;
    this.#options = options;
    this.#peer = new PeerRequests({ run: events.request, send: (value) => this.#send(value) });
    this.#reader = newReader(framing, {
      message: (text) => this.#take(text),
      stray: (line) => events.stray(line, "parse"),
      dropped: (what) => events.dropped(what),
    }, limit);
    channel.open({
      data: (chunk) => this.#data(chunk),
      drained: () => events.drained(),
      closed: (error) => this.#ended(error),
    });
  }

  /** Bytes that wait to be read by the peer. */
  get unsentBytes(): number {
    return this.#channel.unsentBytes;
  }

  /** Requests of ours that have no answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @throws {JsonRpcError} when the peer answers with an error. @throws {ConnectionClosedError} */
  async request(method: string, params: Params, { signal, onProgress }: RequestOptions = {}): Promise<unknown> {
    if (this.#inputEnded) throw new ConnectionClosedError("the connection is closed");
    const id = ++this.#lastId;
    const { conventions } = this.#options;
    const sent = onProgress === undefined ? params : conventions.withToken(params, id);
    const { promise, forget } = this.#wait(id, onProgress);
    const cancel = () => {
      this.notify(conventions.cancel(id));
      stopWaiting = this.#options.clock.timer(CANCELLED_MS, () => forget("the request was cancelled"));
    };
    let stopWaiting = () => {};
    try {
      this.#send({ jsonrpc: "2.0", id, method, ...(sent === undefined ? {} : { params: sent }) });
      if (signal?.aborted) cancel();
      else signal?.addEventListener("abort", cancel, { once: true });
      return await promise;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", cancel);
      stopWaiting();
    }
  }

  notify({ method, params }: Notification): void {
    this.#send({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  /** Tells the peer that what it sent could not be read. */
  refuse(why: "parse" | "invalid"): void {
    this.#peer.refuse(why, undefined);
  }

  /** Settles when every request of the peer has been answered. */
  async idle(): Promise<void> {
    await this.#peer.idle();
  }

  /** Ends what goes to the peer, after what was sent is out; what the peer still says is read. Its requests are aborted. */
  close(): void {
    this.#peer.abort();
    this.#channel.close();
  }

  #wait(id: number, onProgress: Waiting["onProgress"]) {
    let forget = (_why: string) => {};
    const promise = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      forget = (why) => reject(new ConnectionClosedError(why));
    });
    return { promise, forget };
  }

  #send(value: unknown): void {
    this.#channel.write(frameMessage(this.#options.framing, JSON.stringify(value)));
    if (this.#channel.unsentBytes > UNREAD_LIMIT_BYTES) this.#end("it does not read its input");
  }

  #data(chunk: Uint8Array): void {
    if (this.#inputEnded) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #take(text: string): void {
    const { events } = this.#options;
    const value = parse(text);
    if (value === undefined) return events.stray(text, "parse");
    const messages = (Array.isArray(value) ? value : [value]).map(readMessage);
    if (messages.every((message) => message === undefined)) return events.stray(text, "invalid");
    const batch = Array.isArray(value) ? this.#peer.batch() : undefined;
    for (const message of messages) this.#dispatch(message, batch);
    if (batch !== undefined) this.#peer.endBatch(batch);
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
    const { token } = progress ?? {};
    const onProgress = typeof token === "number" ? this.#waiting.get(token)?.onProgress : undefined;
    if (onProgress !== undefined) onProgress(progress?.value);
    else events.notification(notification);
  }

  #answered(answer: Extract<Message, { kind: "result" | "error" }>): void {
    const waiting = typeof answer.id === "number" ? this.#waiting.get(answer.id) : undefined;
    if (waiting === undefined) return this.#stray(answer.id, answer.kind === "error" ? answer.error.message : null);
    if (answer.kind === "result") waiting.resolve(answer.result);
    else waiting.reject(new JsonRpcError(answer.error));
  }

  /** An answer to what was cancelled or given up is no fault; any other is. */
  #stray(id: MessageId, error: string | null): void {
    if (typeof id === "number" && Number.isInteger(id) && id >= 1 && id <= this.#lastId) return;
    const what = error === null ? "" : `, error ${JSON.stringify(error)}`;
    this.#options.events.dropped(`answer to no request (id ${JSON.stringify(id)}${what})`);
  }

  /** The peer's output has ended. */
  #ended(error: Error | undefined): void {
    if (this.#inputEnded) return;
    this.#reader.end();
    this.#finish(error?.message ?? null);
  }

  #end(reason: string): void {
    if (!this.#inputEnded) this.#finish(reason);
  }

  #finish(reason: string | null): void {
    this.#inputEnded = true;
    if (reason !== null) this.close();
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new ConnectionClosedError("the connection was closed"));
    }
    this.#waiting.clear();
    this.#options.events.closed(reason);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
