// A server of a messaging system in memory: it delivers in order and once, but for the faults that a test wants.
import type { ConnectPubSub, PubSub, PubSubEvents, PubSubMessage } from "../../../src/core/cluster/pub_sub.ts";
import type { ManualClock } from "../manual_clock.ts";

/** What happens to messages, each as a chance from 0 to 1. */
export interface Faults {
  readonly drop?: number;
  readonly duplicate?: number;
  /** Delivers it later than those behind it. */
  readonly reorder?: number;
  /** The longest time on the way, in milliseconds. @default 0 */
  readonly delayMs?: number;
}

export class FakeServer {
  readonly clock: ManualClock;
  readonly clients: FakeClient[] = [];
  /** Messages that were published. */
  readonly published: { readonly subject: string; readonly reply: string; readonly bytes: number }[] = [];
  faults: Faults = {};
  random: () => number = () => 0.5;
  maxPayload = 1024 * 1024;
  isUp = true;

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  /** A client for one broker, which connects at once where the server is up. */
  connection(options: ConstructorParameters<typeof FakeClient>[1] = {}): FakeClient {
    const client = new FakeClient(this, options);
    this.clients.push(client);
    return client;
  }

  /** The server ends with all that is on its way. */
  kill(): void {
    this.isUp = false;
    for (const client of this.clients) client.cut("the server has ended");
  }

  restart(): void {
    this.isUp = true;
    for (const client of this.clients) client.back();
  }

  publish(from: FakeClient, message: PubSubMessage): void {
    const { subject, reply, bytes } = message;
    this.published.push({ subject, reply, bytes: bytes.length });
    if (bytes.length > this.maxPayload) throw new Error(`max_payload size exceeded: ${bytes.length}`);
    const copy = { ...message, bytes: bytes.slice() };
    const hearers = this.clients.filter((client) => client.hears(subject));
    if (hearers.length === 0 && reply !== "") {
      const unheard = { subject: reply, reply: "", bytes: new Uint8Array(0), isUnheard: true };
      this.#deliver(unheard, from);
    }
    for (const client of hearers) {
      const { drop = 0, duplicate = 0 } = subject.split(".")[2] === "s" ? this.faults : {};
      if (this.random() >= drop) this.#deliver(copy, client);
      if (this.random() < duplicate) this.#deliver(copy, client);
    }
  }

  #deliver(message: PubSubMessage, client: FakeClient): void {
    const { reorder = 0, delayMs = 0 } = this.faults;
    const isLate = this.random() < reorder;
    const { generation } = client;
    const ms = isLate ? this.random() * (delayMs + 1) * 3 : delayMs;
    this.clock.timer(ms, () => {
      if (client.generation === generation) client.deliver(message);
    });
  }
}

interface ClientOptions {
  /** Subjects that the client may not publish to. */
  readonly denies?: (subject: string) => boolean;
  /** Patterns that the client may not subscribe to. */
  readonly deniesSubscribing?: (subject: string) => boolean;
}

export class FakeClient implements PubSub {
  readonly #server: FakeServer;
  readonly #options: ClientOptions;
  readonly #subscriptions = new Set<{ readonly pattern: readonly string[]; listener(message: PubSubMessage): void }>();
  #events: PubSubEvents | undefined;
  #stopped: PubSubMessage[] | null = null;
  #unpublished: PubSubMessage[] = [];
  state: PubSub["state"] = "disconnected";
  /** Another one after each lost connection: what was on its way is lost. */
  generation = 0;
  isClosed = false;

  constructor(server: FakeServer, options: ClientOptions = {}) {
    this.#server = server;
    this.#options = options;
  }

  readonly connect: ConnectPubSub = (events) => {
    this.#events = events;
    this.#server.clock.timer(0, () => {
      if (this.#server.isUp) this.back();
      else events.failed("connection refused");
    });
    return this;
  };

  get maxPayload(): number {
    return this.#server.maxPayload;
  }

  publish(subject: string, bytes: Uint8Array, reply = ""): void {
    if (this.state !== "connected") throw new Error(`published without a connection: ${subject}`);
    if (subject.split(".").some((token) => token === "" || token === "*" || token === ">" || /\s/.test(token))) {
      throw new Error(`published to no subject: ${subject}`);
    }
    if (this.#options.denies?.(subject)) {
      this.#server.clock.timer(0, () => this.#events?.denied("publish", subject));
      return;
    }
    const message = { subject, reply, bytes: bytes.slice(), isUnheard: false };
    if (this.#stopped === null) this.#server.publish(this, message);
    else this.#unpublished.push(message);
  }

  subscribe(subject: string, listener: (message: PubSubMessage) => void): () => void {
    if (this.#options.deniesSubscribing?.(subject)) {
      this.#server.clock.timer(0, () => this.#events?.denied("subscribe", subject));
      return () => {};
    }
    const subscription = { pattern: subject.split("."), listener };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.state = "disconnected";
    this.generation++;
    return Promise.resolve();
  }

  /** The connection is lost. */
  cut(reason = "connection reset"): void {
    if (this.state === "disconnected") return;
    this.state = "disconnected";
    this.generation++;
    this.#events?.disconnected(reason);
  }

  /** There is a connection again. */
  back(): void {
    if (this.isClosed || this.state === "connected" || this.#events === undefined) return;
    this.state = "connected";
    this.#events.connected("nats://fake:4222");
  }

  /** The process of the broker is killed: the server sees the end of its connection. */
  die(): void {
    this.state = "disconnected";
    this.isClosed = true;
    this.generation++;
    this.#subscriptions.clear();
  }

  /** The process of the broker stands still, and the server does not see it. */
  stop(): void {
    this.#stopped = [];
  }

  /** It goes on. */
  continue(): void {
    const kept = this.#stopped ?? [];
    this.#stopped = null;
    for (const message of this.#unpublished.splice(0)) this.#server.publish(this, message);
    for (const message of kept) this.deliver(message);
  }

  hears(subject: string): boolean {
    return this.state === "connected" && [...this.#subscriptions].some(({ pattern }) => matches(pattern, subject));
  }

  deliver(message: PubSubMessage): void {
    if (this.#stopped !== null) return void this.#stopped.push(message);
    for (const { pattern, listener } of this.#subscriptions) if (matches(pattern, message.subject)) listener(message);
  }
}

function matches(pattern: readonly string[], subject: string): boolean {
  const tokens = subject.split(".");
  if (pattern.at(-1) === ">") return pattern.slice(0, -1).every((token, at) => token === "*" || token === tokens[at]);
  return pattern.length === tokens.length && pattern.every((token, at) => token === "*" || token === tokens[at]);
}
