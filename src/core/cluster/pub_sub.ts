/**
 * What a cluster needs of a messaging system: publish and subscribe, by subjects of tokens with dots between them. `nats.ts` beside
 * `mod.ts` implements it; the core knows no other engine, and none of its packages.
 */

import type { ClusterSettings } from "../settings/settings.ts";

/** A message that came. */
export interface PubSubMessage {
  /** Where it was published. */
  readonly subject: string;
  /** Where an answer goes; empty where none is wanted. */
  readonly reply: string;
  /** The receiver's until the listener returns. */
  readonly bytes: Uint8Array;
  /** Nobody heard a message whose answers were wanted here: the server says so in place of an answer. */
  readonly isUnheard: boolean;
}

/** A connection of one broker, which is made again and again. */
export interface PubSub {
  /** The largest message that the server takes, in bytes; another server may take less. */
  readonly maxPayload: number;
  /** Whether there is a connection. What is published while there is none is lost, so nobody does. */
  readonly state: "connected" | "disconnected";
  /** Sends a message; where nobody hears one that has a `reply`, the server says so there. */
  publish(subject: string, bytes: Uint8Array, reply?: string): void;
  /** `*` stands for one token and `>` for all that follow. Holds over each reconnect. Returns the function that ends it. */
  subscribe(subject: string, listener: (message: PubSubMessage) => void): () => void;
  /** Sends what was published and ends; ends at once without a connection. Nothing is called afterwards. */
  close(): Promise<void>;
}

/** What happens to the connection. */
export interface PubSubEvents {
  /** There is a connection, the first one or another. `server`: its address, for lines. */
  connected(server: string): void;
  /** The connection is lost, and another one is tried until `close`. */
  disconnected(reason: string): void;
  /** No connection could be made; the next try follows by itself. */
  failed(reason: string): void;
  /** The server does not let this broker publish or subscribe there. */
  denied(action: "publish" | "subscribe", subject: string): void;
}

/** Connects in the background, again and again until `close`. Never throws. */
export type ConnectPubSub = (events: PubSubEvents) => PubSub;

/** What `Broker.start` takes as `cluster`, such as `nats({ … })` of `brokkr/nats`. */
export interface ClusterConnection {
  /** Those of the cluster. */
  readonly settings: ClusterSettings;
  /** Loads what `connect` needs. Settles with this machine's name, or null where nothing says it. */
  readonly prepare: () => Promise<string | null>;
  /** Begins to connect. */
  readonly connect: ConnectPubSub;
}
