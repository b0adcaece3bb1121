/**
 * A session between two brokers: a {@link Channel} over two subjects. A messaging system loses what is published while a connection is
 * down, may deliver twice and, over several servers, out of order. Each message says where its bytes stand in the stream, each side
 * says how far it has come, and what is missing is sent again: what arrives above is ordered, whole, and once.
 */

import type { Channel, ChannelEvents, Clock } from "../../runtime/runtime.ts";
import type { Member } from "./members.ts";

/**
 * What a message of a session is: the first byte of its head. The next six are where the sender stands in its stream of bytes, or where
 * the message's own bytes begin; the next six are how many of the receiver's bytes the sender has.
 */
export const MessageKind = {
  data: 0,
  ack: 1,
  /** The stream ends there. */
  fin: 2,
  /** Send again what comes behind the bytes that the sender has. */
  resume: 3,
  /** The sender knows no such session. */
  reset: 4,
  /** Asks for an `ack`. */
  probe: 5,
  /** The callee has opened the session: its hello, as JSON. */
  hello: 6,
  /** It has not: `{"reason": …}`. */
  refusal: 7,
} as const;

export const HEAD_BYTES = 13;

/** Bytes that were published and not acknowledged. Beyond it they wait, so that back-pressure reaches the queue of calls. */
const WINDOW_BYTES = 4 * 1024 * 1024;
const MAX_CHUNK_BYTES = 256 * 1024;
const LEAST_CHUNK_BYTES = 256;
/** A message costs both brokers and the server as much as some KiB do: what is less leaves with the rest of its turn. */
export const LEAST_MESSAGE_BYTES = 8 * 1024;
/** The server's own limit counts the head. */
const HEAD_ROOM = 16;
const ACK_BYTES = 256 * 1024;
const ACK_MS = 20;
/** While something is expected of the peer, it is asked so often whether it is there. */
const PROBE_MS = 250;
/** A side that has ended the session waits so long for the other's end. */
const LINGER_MS = 5_000;

export interface Head {
  readonly kind: number;
  readonly position: number;
  readonly received: number;
}

export function headOf({ kind, position, received }: Head, bytes: Uint8Array = NO_BYTES): Uint8Array {
  const message = new Uint8Array(HEAD_BYTES + bytes.length);
  writeHead(message, { kind, position, received });
  message.set(bytes, HEAD_BYTES);
  return message;
}

/** Null where the message is too short to be one. */
export function readHead(message: Uint8Array): Head | null {
  if (message.length < HEAD_BYTES) return null;
  return { kind: message[0] ?? 0, position: readU48(message, 1), received: readU48(message, 7) };
}

function writeHead(target: Uint8Array, { kind, position, received }: Head): void {
  target[0] = kind;
  writeU48(target, 1, position);
  writeU48(target, 7, received);
}

function writeU48(target: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x100000000);
  target[at] = high >>> 8;
  target[at + 1] = high;
  target[at + 2] = value >>> 24;
  target[at + 3] = value >>> 16;
  target[at + 4] = value >>> 8;
  target[at + 5] = value;
}

function readU48(source: Uint8Array, at: number): number {
  const high = ((source[at] ?? 0) << 8) + (source[at + 1] ?? 0);
  const middle = ((source[at + 2] ?? 0) << 8) + (source[at + 3] ?? 0);
  const low = ((source[at + 4] ?? 0) << 8) + (source[at + 5] ?? 0);
  return (high * 0x10000 + middle) * 0x10000 + low;
}

const NO_BYTES = new Uint8Array(0);

/** Bytes of the stream, with room for a head before them. */
interface Chunk {
  readonly position: number;
  readonly message: Uint8Array;
}

function endOf({ position, message }: Chunk): number {
  return position + message.length - HEAD_BYTES;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly isConnected: boolean;
  /** Publishes a message to the peer. Only called while there is a connection. */
  readonly publish: (message: Uint8Array) => void;
  readonly maxPayload: () => number;
  /** Whether something is expected of the peer, though all is acknowledged: a call, or the end of one. */
  readonly isWaiting: () => boolean;
  /** The peer has answered since the connection was made or lost. */
  readonly synced: () => void;
  readonly over: () => void;
}

type State = "open" | "ending" | "over";

export class SessionChannel implements Channel {
  readonly #options: SessionOptions;
  #events: ChannelEvents | undefined;
  #state: State = "open";
  #isConnected: boolean;
  /** Whether the peer has said how far it has come since the connection was made. */
  #isSynced: boolean;
  /** Published and not acknowledged, oldest first. */
  #sent: Chunk[] = [];
  #queued: Chunk[] = [];
  #queuedBytes = 0;
  /** Whether some of them could not be published at once. */
  #hasWaited = false;
  /** Behind the last byte that was written, published, and acknowledged. */
  #written = 0;
  #published = 0;
  #acknowledged = 0;
  /** Behind the last byte that came, and what of it the peer was told. */
  #received = 0;
  #reported = 0;
  #wasGapReported = false;
  #wasFinSent = false;
  #clearAck: (() => void) | undefined;
  #clearProbe: (() => void) | undefined;
  #clearLinger: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#isConnected = this.#isSynced = options.isConnected;
  }

  get unsentBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes that this side keeps because the peer may not have them yet. */
  get keptBytes(): number {
    return this.#written - this.#acknowledged;
  }

  /** Whether messages reach the peer, as far as is known. */
  get isSynced(): boolean {
    return this.#isConnected && this.#isSynced;
  }

  open(events: ChannelEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    const limit = this.#chunkBytes;
    for (let at = 0; at < bytes.length; at += limit) {
      const part = bytes.subarray(at, at + limit);
      // A copy: the memory is its writer's again, and the peer may need the bytes once more.
      const message = new Uint8Array(HEAD_BYTES + part.length);
      message.set(part, HEAD_BYTES);
      this.#queued.push({ position: this.#written, message });
      this.#written += part.length;
      this.#queuedBytes += part.length;
    }
    this.#publishQueued();
    if (this.#queuedBytes > 0) this.#hasWaited = true;
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#clearLinger = this.#options.clock.timer(LINGER_MS, () => this.abort());
    this.#publishQueued();
  }

  abort(): void {
    if (this.#state === "over") return;
    if (this.#isConnected) this.#publish({ kind: MessageKind.reset, position: this.#published });
    this.#end();
  }

  /** The connection to the server is lost, or there is one again: then both sides say how far they have come. */
  connection(isConnected: boolean): void {
    if (this.#state === "over") return;
    this.#isConnected = isConnected;
    this.#isSynced = false;
    if (!isConnected) return;
    this.#wasGapReported = false;
    this.#publish({ kind: MessageKind.resume, position: this.#published });
    this.watch();
  }

  /** Something is expected of the peer from now on. */
  watch(): void {
    if (this.#clearProbe !== undefined || this.#state === "over") return;
    this.#clearProbe = this.#options.clock.timer(PROBE_MS, () => {
      this.#clearProbe = undefined;
      const isExpecting = this.keptBytes > 0 || !this.#isSynced || this.#state === "ending" || this.#wasGapReported ||
        this.#options.isWaiting();
      if (!isExpecting) return;
      // What was asked for may be lost, too.
      this.#wasGapReported = false;
      this.probe();
      this.watch();
    });
  }

  /** Asks the peer to say how far it has come. */
  probe(): void {
    if (!this.#isConnected || this.#state === "over") return;
    if (this.#wasFinSent) this.#sendFin();
    else this.#publish({ kind: MessageKind.probe, position: this.#published });
  }

  receive({ kind, position, received }: Head, bytes: Uint8Array): void {
    if (this.#state === "over") return;
    if (kind === MessageKind.reset) return this.#closed(new Error(UNKNOWN_SESSION));
    this.#acknowledge(received);
    if (kind === MessageKind.data) this.#take(position, bytes);
    else if (position > this.#received) this.#reportGap();
    else if (kind === MessageKind.fin) return this.#takeFin();
    if (kind === MessageKind.resume) this.#sendAgain(received);
    if (kind === MessageKind.probe || kind === MessageKind.resume) this.#ack();
    if (this.#isOver) return;
    const wasSynced = this.#isSynced;
    this.#isSynced = true;
    this.#publishQueued();
    if (!wasSynced && this.isSynced) this.#options.synced();
  }

  get #isOver(): boolean {
    return this.#state === "over";
  }

  get #chunkBytes(): number {
    return Math.max(LEAST_CHUNK_BYTES, Math.min(MAX_CHUNK_BYTES, this.#options.maxPayload() - HEAD_ROOM));
  }

  #publishQueued(): void {
    if (!this.isSynced) return;
    while (this.#queued.length > 0 && this.#published - this.#acknowledged < WINDOW_BYTES) {
      const chunk = this.#queued.shift();
      if (chunk === undefined) break;
      this.#sent.push(chunk);
      this.#published = endOf(chunk);
      this.#queuedBytes -= chunk.message.length - HEAD_BYTES;
      this.#publishChunk(chunk);
    }
    if (this.keptBytes > 0) this.watch();
    if (this.#state === "ending" && this.#queued.length === 0 && !this.#wasFinSent) {
      this.#wasFinSent = true;
      this.#sendFin();
      this.watch();
    }
    if (this.#queuedBytes === 0 && this.#hasWaited) {
      this.#hasWaited = false;
      this.#events?.drained();
    }
  }

  /** In parts where this server takes less than the one before. */
  #publishChunk({ position, message }: Chunk): void {
    const limit = this.#chunkBytes;
    if (message.length - HEAD_BYTES <= limit) {
      writeHead(message, { kind: MessageKind.data, position, received: this.#report() });
      return this.#options.publish(message);
    }
    for (let at = HEAD_BYTES; at < message.length; at += limit) {
      const part = message.subarray(at, at + limit);
      this.#publish({ kind: MessageKind.data, position: position + at - HEAD_BYTES }, part);
    }
  }

  #sendFin(): void {
    this.#publish({ kind: MessageKind.fin, position: this.#published });
  }

  #publish(head: Omit<Head, "received">, bytes?: Uint8Array): void {
    this.#options.publish(headOf({ ...head, received: this.#report() }, bytes));
  }

  /** How far this side has come, which the peer learns with the message that is made now. */
  #report(): number {
    return this.#reported = this.#received;
  }

  #acknowledge(received: number): void {
    // More than was published: no peer of this session can have it.
    if (received <= this.#acknowledged || received > this.#published) return;
    this.#acknowledged = received;
    let count = 0;
    for (const chunk of this.#sent) {
      if (endOf(chunk) > received) break;
      count++;
    }
    if (count > 0) this.#sent.splice(0, count);
  }

  #take(position: number, bytes: Uint8Array): void {
    if (position > this.#received) return this.#reportGap();
    const known = this.#received - position;
    if (known >= bytes.length) return;
    this.#received = position + bytes.length;
    this.#wasGapReported = false;
    this.#events?.data(bytes.subarray(known));
    if (this.#isOver) return;
    // A call may run for long, and its caller may be gone meanwhile.
    this.watch();
    if (this.#received - this.#reported >= ACK_BYTES) this.#ack();
    else this.#ackLater();
  }

  #ack(): void {
    if (this.#isConnected) this.#publish({ kind: MessageKind.ack, position: this.#published });
  }

  /** Mostly a message leaves before, and says it. */
  #ackLater(): void {
    this.#clearAck ??= this.#options.clock.timer(ACK_MS, () => {
      this.#clearAck = undefined;
      if (this.#reported < this.#received) this.#ack();
    });
  }

  /** Once, until something comes or the next probe. */
  #reportGap(): void {
    if (this.#wasGapReported || !this.#isConnected) return;
    this.#wasGapReported = true;
    this.#publish({ kind: MessageKind.resume, position: this.#published });
    this.watch();
  }

  #sendAgain(received: number): void {
    if (!this.#isConnected || received < this.#acknowledged) return;
    for (const chunk of this.#sent) this.#publishChunk(chunk);
    if (this.#wasFinSent) this.#sendFin();
  }

  /** The peer has ended the session, and all that it sent is here. */
  #takeFin(): void {
    // What the peer answers with a reset, since it does not know the session any more.
    if (!this.#wasFinSent && this.#isConnected) this.#sendFin();
    this.#closed();
  }

  #closed(error?: Error): void {
    const wasOpen = this.#state === "open";
    this.#end();
    this.#events?.closed(wasOpen ? error : undefined);
  }

  #end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#clearAck?.();
    this.#clearProbe?.();
    this.#clearLinger?.();
    this.#sent = [];
    this.#queued = [];
    this.#queuedBytes = 0;
    this.#options.over();
  }
}

/** Why a session ends that its peer has forgotten. */
const UNKNOWN_SESSION = "it does not know the session any more";

/** What both ends of a session have: they receive messages of one member, and send theirs through the cluster. */
export interface Endpoint {
  readonly member: Member;
  /** What the member's messages name as theirs: another sender's are none of this session. */
  readonly from: string;
  /** `bytes` are behind the head. */
  receive(head: Head, bytes: Uint8Array): void;
  connection(isConnected: boolean): void;
  abort(): void;
}

/** Sends messages, for all sessions. */
export interface Post {
  readonly clock: Clock;
  /** Of a session: nobody can guess it. */
  newId(): string;
  readonly isConnected: boolean;
  /** Whether this broker is a member: one whose name another has makes no calls. */
  readonly isMember: boolean;
  readonly maxPayload: number;
  /** Sends a member messages of a session. Nothing is sent without a connection. */
  to(member: Member, session: string): (message: Uint8Array) => void;
  subjectOf(member: Member, session: string): string;
  open(member: Member, session: string, module: string): void;
}
