/**
 * What a cluster needs of a messaging system: publish and subscribe, by subjects of tokens with dots between them. `nats.ts` beside
 * `mod.ts` implements it; the core knows no other engine, and none of its packages.
 */

import type { ClusterSettings } from "../settings/settings.ts";

/** A message that a subscription received. */
export interface PubSubMessage {
  /** Where it was published. */
  readonly subject: string;
  /** Subject for an answer; empty if the sender expects none. */
  readonly reply: string;
  /** The content, valid until the listener returns. */
  readonly bytes: Uint8Array;
  /** True if this is the server's notice, in place of an answer, that nobody received a message. */
  readonly isUnheard: boolean;
}

/** A broker's connection, which reconnects by itself. */
export interface PubSub {
  /** The largest message that the server takes, in bytes; another server may take less. */
  readonly maxPayload: number;
  /** Whether there is a connection. A message published without one is lost, so brokkr publishes none. */
  readonly state: "connected" | "disconnected";
  /** Sends a message. If nobody receives one with a `reply` subject, the server says so there. */
  publish(subject: string, bytes: Uint8Array, reply?: string): void;
  /** Subscribes across reconnects. `*` matches one token, `>` all that follow. Returns a function that unsubscribes. */
  subscribe(subject: string, listener: (message: PubSubMessage) => void): () => void;
  /** Sends what was published, then closes; closes at once without a connection. Calls nothing afterwards. */
  close(): Promise<void>;
}

/** Events of the connection. */
export interface PubSubEvents {
  /** Connected, for the first time or again. `server`: its address, for log lines. */
  connected(server: string): void;
  /** The connection is lost; it reconnects until `close`. */
  disconnected(reason: string): void;
  /** Could not connect; the next try follows by itself. */
  failed(reason: string): void;
  /** The server does not let this broker publish or subscribe there. */
  denied(action: "publish" | "subscribe", subject: string): void;
}

/** Connects in the background, and retries until `close`. Never throws. */
export type ConnectPubSub = (events: PubSubEvents) => PubSub;

/** The option `cluster` of `Broker.start`, such as `nats({ … })` of `brokkr/nats`. */
export interface ClusterConnection {
  /** Settings of the cluster. */
  readonly settings: ClusterSettings;
  /** Loads what `connect` needs. Resolves with this machine's name, or null if it is unknown. */
  readonly prepare: () => Promise<string | null>;
  /** Starts to connect. */
  readonly connect: ConnectPubSub;
}
