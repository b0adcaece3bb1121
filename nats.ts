/**
 * Brokers on several machines, over NATS: pass the result of {@linkcode nats} to `Broker.start` as `cluster`. It needs the package
 * `@nats-io/transport-node`, which only the broker's own process loads, when it starts.
 *
 * @example
 * ```ts
 * import { Broker, defineModule } from "brokkr";
 * import { nats } from "brokkr/nats";
 *
 * const sla = defineModule({ name: "sla", commands: { get_report: (month: string) => ({ month, availability: 99.7 }) } });
 *
 * export function start(): Promise<Broker> {
 *   const cluster = nats({ servers: ["nats://127.0.0.1:4222"], name: "prod", exports: { sla: true }, imports: ["WebUI"] });
 *   return Broker.start({ name: "broker-master", modules: [sla], cluster });
 * }
 * ```
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ClusterConnection, PubSub, PubSubEvents, PubSubMessage } from "./src/core/cluster/pub_sub.ts";
import type { ClusterAuthSettings, ClusterSettings, ClusterTlsSettings } from "./src/core/settings/settings.ts";

export type { ClusterConnection } from "./src/core/cluster/pub_sub.ts";
export type { ClusterAuthSettings, ClusterSettings, ClusterTlsSettings } from "./src/core/settings/settings.ts";

/** The cluster's settings, as in brokkr.json; paths are relative to the working directory. */
export interface NatsOptions extends ClusterSettings {
  /**
   * Creates the connection. A bundled program passes `connect` of `@nats-io/transport-node`, which it imports itself.
   * @default the package's own, loaded at the start
   */
  readonly connect?: (options: object) => Promise<NatsConnection>;
}

/** The part of the package's connection that brokkr uses. */
export interface NatsConnection {
  /** What the server reports about itself; `max_payload` in bytes. */
  readonly info?: { readonly max_payload: number } | undefined;
  /** Sends a message. */
  publish(subject: string, bytes: Uint8Array, options?: { readonly reply?: string }): void;
  /** Receives messages. */
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: NatsMessage) => void },
  ): { unsubscribe(): void };
  /** Events of the connection. */
  status(): AsyncIterable<{ readonly type: string }>;
  /** Address of the server. */
  getServer(): string;
  /** Resolves when the server has received everything. */
  flush(): Promise<void>;
  /** Resolves when the connection has ended. */
  closed(): Promise<unknown>;
  /** Ends the connection. */
  close(): Promise<void>;
}

/** The part of the package's messages that brokkr uses. */
export interface NatsMessage {
  /** Where it was published. */
  readonly subject: string;
  /** Subject for an answer. */
  readonly reply?: string | undefined;
  /** The content. */
  readonly data: Uint8Array;
  /** Headers; the server's own have a code. */
  readonly headers?: { readonly code: number } | undefined;
}

/** What is used of the package. */
interface NatsClient {
  connect(options: object): Promise<NatsConnection>;
  credsAuthenticator(creds: () => Uint8Array): unknown;
  nkeyAuthenticator(seed: () => Uint8Array): unknown;
}

/** From one try to the next, while there has been no connection yet. */
const RETRY_MS = 1_000;
/** The same while there was one before. */
const RECONNECT_MS = 250;
/** The server's time to answer a new connection. */
const CONNECT_MS = 5_000;
/** The time for the last messages to leave. */
const FLUSH_MS = 1_000;
const PINGS = 2;
/** A process may be busy for that long. */
const LEAST_PING_MS = 1_000;
const LOST_AFTER_MS = 2_000;
/** What a server takes by default. */
const MAX_PAYLOAD = 1024 * 1024;

/** What the server answers where nobody is subscribed. */
const NO_RESPONDERS = 503;

/**
 * The cluster of a broker, for `Broker.start`.
 *
 * It never throws: `Broker.start` rejects if a setting is wrong, a file is missing, or the package is not installed.
 */
export function nats(options: NatsOptions): ClusterConnection {
  return natsOf(options, importClient);
}

/** The same, with another way to load the client: the command line imports it by a name that a bundler sees. */
export function natsOf(
  { connect, ...settings }: NatsOptions,
  load: () => Promise<unknown>,
): ClusterConnection {
  let open: Open | undefined;
  return {
    settings,
    async prepare() {
      const { auth = {}, tls, servers, lostAfterMs = LOST_AFTER_MS } = settings;
      const needsClient = connect === undefined || auth.creds !== undefined || auth.nkey !== undefined;
      const client = needsClient ? await clientOf(load) : null;
      const common = {
        servers: [...servers],
        name: "brokkr",
        // The client would give up after ten tries, and after two that the server did not accept.
        maxReconnectAttempts: -1,
        ignoreAuthErrorAbort: true,
        reconnectTimeWait: RECONNECT_MS,
        timeout: CONNECT_MS,
        pingInterval: Math.max(LEAST_PING_MS, lostAfterMs),
        maxPingOut: PINGS,
        noAsyncTraces: true,
        ...await authOptions(auth, client),
        ...await tlsOptions(tls, servers),
      };
      open = (gaveUp) =>
        (connect ?? client?.connect)?.({ ...common, gaveUp }) ?? Promise.reject(new Error("there is no client"));
      return await hostName();
    },
    connect: (events) =>
      new NatsPubSub(events, (gaveUp) => open?.(gaveUp) ?? Promise.reject(new Error("it is not prepared"))),
  };
}

/** Connects. `gaveUp` gets why a try failed: the client itself only says so of the first one. */
type Open = (gaveUp: (error: unknown) => void) => Promise<NatsConnection>;

class NatsPubSub implements PubSub {
  readonly #events: PubSubEvents;
  readonly #open: Open;
  readonly #subscriptions = new Set<Subscription>();
  #connection: NatsConnection | undefined;
  #isClosed = false;
  #wake: () => void = () => {};
  state: PubSub["state"] = "disconnected";

  constructor(events: PubSubEvents, open: Open) {
    this.#events = events;
    this.#open = open;
    void this.#run();
  }

  get maxPayload(): number {
    // A server that is reloaded may say another one.
    return this.#connection?.info?.max_payload ?? MAX_PAYLOAD;
  }

  publish(subject: string, bytes: Uint8Array, reply?: string): void {
    if (this.state !== "connected") return;
    this.#connection?.publish(subject, bytes, reply === undefined ? undefined : { reply });
  }

  subscribe(subject: string, listener: (message: PubSubMessage) => void): () => void {
    const subscription: Subscription = { subject, listener, end: () => {} };
    this.#subscriptions.add(subscription);
    if (this.#connection !== undefined) begin(subscription, this.#connection);
    return () => {
      this.#subscriptions.delete(subscription);
      subscription.end();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.state === "connected") await Promise.race([connection.flush().catch(() => {}), sleep(FLUSH_MS)]);
    this.state = "disconnected";
    // Not drain(), which rejects without a server.
    await connection.close().catch(() => {});
  }

  /** A pending first connect of the client can't be ended, so each try is one of its own. */
  async #run(): Promise<void> {
    while (!this.#isClosed) {
      let isSaid = false;
      try {
        const connection = await this.#open((error) => {
          isSaid = true;
          this.#gaveUp(error);
        });
        if (this.#isClosed) return await connection.close();
        this.#connection = connection;
        for (const subscription of this.#subscriptions) begin(subscription, connection);
        this.#connected();
        await this.#follow(connection);
      } catch (error) {
        if (!isSaid) this.#gaveUp(error);
      }
      this.#connection = undefined;
      if (!this.#isClosed) {
        await Promise.race([sleep(RETRY_MS), new Promise<void>((resolve) => this.#wake = resolve)]);
      }
    }
  }

  /** Until the end of the connection, which the client makes anew by itself. */
  async #follow(connection: NatsConnection): Promise<void> {
    let reason = "the connection has ended";
    for await (const status of connection.status()) {
      if (this.#isClosed) return;
      const { type } = status;
      if (type === "reconnect") this.#connected();
      else if (type === "disconnect") {
        this.#disconnected(reason);
        reason = "the connection has ended";
      } else if (type === "staleConnection") reason = "the server does not answer";
      else if (type === "error" && "error" in status) reason = this.#failed(status.error);
    }
    this.#disconnected(reasonOf(await connection.closed() ?? reason));
  }

  /** Returns why the connection ends, if it does. */
  #failed(error: unknown): string {
    const denied = permissionIn(error);
    if (denied !== null) this.#events.denied(denied.action, denied.subject);
    else this.#gaveUp(error);
    return reasonOf(error);
  }

  #gaveUp(error: unknown): void {
    if (this.state === "disconnected" && !this.#isClosed) this.#events.failed(reasonOf(error));
  }

  #connected(): void {
    this.state = "connected";
    this.#events.connected(this.#connection?.getServer() ?? "");
  }

  #disconnected(reason: string): void {
    if (this.state === "disconnected") return;
    this.state = "disconnected";
    this.#events.disconnected(reason);
  }
}

interface Subscription {
  readonly subject: string;
  readonly listener: (message: PubSubMessage) => void;
  end: () => void;
}

function begin(subscription: Subscription, connection: NatsConnection): void {
  const { subject, listener } = subscription;
  const made = connection.subscribe(subject, {
    callback(error, message) {
      if (error === null) listener(new Received(message));
    },
  });
  subscription.end = () => made.unsubscribe();
}

/** The client decodes each text of a message when it is read: most are read in part. */
class Received implements PubSubMessage {
  readonly #message: NatsMessage;
  readonly bytes: Uint8Array;

  constructor(message: NatsMessage) {
    this.#message = message;
    this.bytes = message.data;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get reply(): string {
    return this.#message.reply ?? "";
  }

  get isUnheard(): boolean {
    return this.bytes.length === 0 && this.#message.headers?.code === NO_RESPONDERS;
  }
}

/** What the server did not permit. */
function permissionIn(error: unknown): { action: "publish" | "subscribe"; subject: string } | null {
  if (typeof error !== "object" || error === null || !("operation" in error) || !("subject" in error)) return null;
  const { operation, subject } = error;
  if (typeof subject !== "string") return null;
  return { action: operation === "subscription" ? "subscribe" : "publish", subject };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  const detail = cause instanceof Error && cause.message !== "" && !message.includes(cause.message)
    ? `: ${cause.message}`
    : "";
  return `${message || error.name}${detail}`;
}

async function sleep(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms));
}

const PACKAGE = "@nats-io/transport-node";

/** Computed, so that nothing looks for the package where it is not used. */
async function importClient(): Promise<unknown> {
  const specifier = "Deno" in globalThis ? `npm:${PACKAGE}@3` : PACKAGE;
  const client: object = await import(specifier);
  // By its file: the package names it nowhere.
  const transport: object = await import(`${specifier}/lib/node_transport.js`).catch(() => ({}));
  return { ...transport, ...client };
}

/**
 * The client gives up a socket on which no connection came about, and leaves it open: a server that accepts and says nothing, or that
 * does not even accept, would take a descriptor with each try, and keep the process alive.
 */
function endSockets(client: object): void {
  const transport: unknown = Reflect.get(client, "NodeTransport");
  const prototype: unknown = typeof transport === "function" ? transport.prototype : undefined;
  if (typeof prototype !== "object" || prototype === null || guarded.has(prototype)) return;
  const closed: unknown = Reflect.get(prototype, "_closed");
  if (typeof closed !== "function") return;
  guarded.add(prototype);
  Reflect.set(prototype, "dial", dial);
  Reflect.set(prototype, "startTLS", startTls);
  Reflect.set(prototype, "_closed", async function (this: Transport, ...given: unknown[]) {
    const [error] = given;
    if (error instanceof Error) gaveUp(this, error);
    const { socket } = this;
    if (this.connected === false) {
      this.done = true;
      socket?.destroy();
    }
    const ended: unknown = Reflect.apply(closed, this, given);
    // Its listeners are gone now, or when it has settled.
    socket?.on("error", () => {});
    await ended;
    socket?.on("error", () => {});
  });
}

/** The client's own keeps the socket to itself until there is a connection. */
async function dial(this: Transport, { hostname, port }: { readonly hostname: string; readonly port: number }) {
  const { createConnection } = await import("node:net");
  if (this.done === true) throw new Error(GIVEN_UP);
  this.socket = createConnection(port, hostname);
  this.socket.setNoDelay(true);
  return await opened(this.socket, "connect", (error) => gaveUp(this, error));
}

async function startTls(this: Transport) {
  const { connect } = await import("node:tls");
  const { socket, options, tlsName = "" } = this;
  const tls = options?.tls ?? undefined;
  const files = tls === undefined ? {} : await this.loadClientCerts?.() ?? {};
  if (socket === undefined) throw new Error(GIVEN_UP);
  const encrypted = connect({ socket, servername: tlsName, ...tls, ...files, rejectUnauthorized: true });
  return await opened(encrypted, "secureConnect", (error) => gaveUp(this, error));
}

/**
 * Settles when there is a connection. The client takes its listeners off a socket between two steps and when it is done with it; an
 * error may come then, too, in Deno from each of the two sockets of TLS, and one that nobody hears ends the process.
 */
async function opened(
  socket: Socket,
  event: "connect" | "secureConnect",
  failed: (error: unknown) => void,
): Promise<Socket> {
  const forget = socket.removeAllListeners.bind(socket);
  socket.removeAllListeners = (...events) => forget(...events).on("error", failed);
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject).on("close", () => reject(new Error(GIVEN_UP))).on(event, () => {
      socket.removeAllListeners();
      resolve();
    });
  });
  return socket;
}

/** The first error of a try says why it failed. */
function gaveUp(transport: Transport, error: unknown): void {
  if (transport.hasFailed === true) return;
  transport.hasFailed = true;
  transport.options?.gaveUp?.(error);
}

const GIVEN_UP = "the connection was given up";

const guarded = new WeakSet<object>();

/** What is used of a transport of the client. */
interface Transport {
  socket?: Socket;
  readonly connected?: boolean;
  readonly options?: { readonly tls?: object | null; readonly gaveUp?: (error: unknown) => void };
  readonly tlsName?: string;
  readonly loadClientCerts?: () => Promise<object>;
  hasFailed?: boolean;
  done?: boolean;
}

async function clientOf(load: () => Promise<unknown>): Promise<NatsClient> {
  let loaded: unknown;
  try {
    loaded = await load();
  } catch (cause) {
    const remedy = "Deno" in globalThis ? "let Deno get it from the registry" : `run "npm install ${PACKAGE}"`;
    throw new Error(`Cannot join a cluster: package "${PACKAGE}" can not be loaded (${reasonOf(cause)}), ${remedy}`, {
      cause,
    });
  }
  if (isClient(loaded)) {
    endSockets(loaded);
    return loaded;
  }
  throw new Error(`Cannot join a cluster: package "${PACKAGE}" has no connect(), version 3 is needed`);
}

function isClient(value: unknown): value is NatsClient {
  return typeof value === "object" && value !== null && "connect" in value && "credsAuthenticator" in value &&
    "nkeyAuthenticator" in value;
}

async function authOptions(auth: ClusterAuthSettings, client: NatsClient | null): Promise<object> {
  const { creds, nkey, userEnv, passwordEnv, tokenEnv } = auth;
  if (creds !== undefined) return { authenticator: client?.credsAuthenticator(await fileOf("auth.creds", creds)) };
  if (nkey !== undefined) {
    const seed = await fileOf("auth.nkey", nkey);
    const trimmed = () => new TextEncoder().encode(new TextDecoder().decode(seed()).trim());
    return { authenticator: client?.nkeyAuthenticator(trimmed) };
  }
  if (userEnv !== undefined && passwordEnv !== undefined) {
    return { user: await variable("auth.userEnv", userEnv), pass: await variable("auth.passwordEnv", passwordEnv) };
  }
  return tokenEnv === undefined ? {} : { token: await variable("auth.tokenEnv", tokenEnv) };
}

/** With an empty object the client refuses a server without TLS; the scheme of an address alone means nothing to it. */
async function tlsOptions(tls: ClusterTlsSettings | undefined, servers: readonly string[]): Promise<object> {
  if (tls === undefined) return servers.some((server) => server.startsWith("tls://")) ? { tls: {} } : {};
  const files = await Promise.all(
    (["ca", "cert", "key"] as const).map(async (file) => {
      const path = tls[file];
      if (path === undefined) return [];
      await fileOf(`tls.${file}`, path);
      return [[`${file}File`, await absolute(path)]];
    }),
  );
  return { tls: Object.fromEntries(files.flat()) };
}

/** What the file has at each new connection: it may be replaced while the broker runs. */
async function fileOf(setting: string, path: string): Promise<() => Uint8Array> {
  const [{ readFileSync }, file] = await Promise.all([import("node:fs"), absolute(path)]);
  try {
    readFileSync(file);
  } catch (cause) {
    throw new Error(`Cannot join a cluster: file "${path}" of cluster.${setting} can not be read: ${reasonOf(cause)}`, {
      cause,
    });
  }
  return () => readFileSync(file);
}

async function absolute(path: string): Promise<string> {
  const { resolve } = await import("node:path");
  return resolve(path);
}

async function variable(setting: string, name: string): Promise<string> {
  const { env } = await import("node:process");
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new Error(`Cannot join a cluster: environment variable ${name} of cluster.${setting} is not set`);
}

async function hostName(): Promise<string | null> {
  try {
    const { hostname } = await import("node:os");
    return hostname();
  } catch {
    // Without the right to know.
    return null;
  }
}
