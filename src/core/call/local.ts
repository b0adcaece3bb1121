/** A callee within this process. Its calls go over a channel like any others, so that they have the same outcomes. */

import type { Channel, ChannelEvents, Clock } from "../../runtime/runtime.ts";
import { type CodecName, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import type { CallClient } from "./client.ts";
import { CallServer, type CallServerOptions } from "./server.ts";

export interface LocalPeerOptions extends Omit<CallServerOptions, "frameLimit"> {
  readonly clock: Clock;
  readonly caller: CallClient;
  /** How the caller writes parameters. @default "json" */
  readonly codec?: CodecName;
  /** Settles when the callee is alive, where it stands for a program. @default at once */
  readonly ping?: () => Promise<unknown>;
  /** Bytes that wait behind the callee. Beyond a limit the caller's calls wait too, until `drained`. @default none */
  readonly unsentBytes?: () => number;
}

export interface LocalPeer {
  /** The caller's end; another one after the connection was lost. */
  readonly link: Link;
  /** The bytes that waited behind the callee have left. */
  drained(): void;
  /** Calls end here. */
  close(): void;
}

/** Where the connection is lost, its calls are rejected, and the next ones go over a new one. */
export function localPeer(options: LocalPeerOptions): LocalPeer {
  const { caller } = options;
  const lost = (why: string | null) => {
    const { link } = connection;
    const isInUse = caller.isConnectedTo(link);
    connection = connect(options, lost);
    const reason = `its connection within this process was lost: ${why ?? "it was closed"}`;
    caller.disconnect({ code: "GONE", reason, exitCode: null, signal: null, lastLines: [] }, link);
    if (isInUse) caller.connect(connection.link);
  };
  let connection = connect(options, lost);
  return {
    get link() {
      return connection.link;
    },
    drained: () => connection.drained(),
    close: () => connection.close(),
  };
}

function connect(options: LocalPeerOptions, lost: (reason: string | null) => void): LocalPeer {
  const { caller, clock, ping, unsentBytes = () => 0 } = options;
  let isOver = false;
  const closed = (reason: string | null) => {
    if (isOver) return;
    close();
    lost(reason);
  };
  const [near, far] = localChannels(clock, unsentBytes);
  const link = localLink(near, options, {
    frame(type, flags, body) {
      if (type === FrameType.answers) caller.answers(flags, body);
    },
    drained: () => caller.drained(),
    closed,
  });
  const calleeLink: Link = localLink(far, { clock }, {
    frame(type, flags, body) {
      if (callee.receive(type, flags, body) || type !== FrameType.ping) return;
      const pong = () => calleeLink.pong();
      if (ping === undefined) pong();
      else ping().then(pong, () => {});
    },
    drained() {},
    closed,
  });
  const callee = new CallServer(calleeLink, { ...options, frameLimit: DEFAULT_FRAME_LIMIT });
  callee.open();
  const close = () => {
    isOver = true;
    callee.abort();
    link.close(null);
    calleeLink.close(null);
  };
  return { link, drained: () => near.drained(), close };
}

interface LocalEvents {
  frame(type: number, flags: number, body: Uint8Array): void;
  drained(): void;
  closed(reason: string | null): void;
}

function localLink(
  channel: Channel,
  { clock, codec = "json" }: Pick<LocalPeerOptions, "clock" | "codec">,
  events: LocalEvents,
): Link {
  return new Link(channel, clock, {
    frameLimit: DEFAULT_FRAME_LIMIT,
    codec,
    events: { ...events, refused: () => {} },
  });
}

/** Both ends of a channel within this process. */
export function localChannels(clock: Clock, unsentBytes = () => 0): [near: LocalChannel, far: LocalChannel] {
  const [near, far] = [new LocalChannel(unsentBytes, clock), new LocalChannel(() => 0)];
  near.peer = far;
  far.peer = near;
  return [near, far];
}

/** Of so many answers one waits for what else is ready in the event loop, which a loop of calls would never let turn. */
const IN_A_ROW = 64;

/** One end of a channel within this process. */
class LocalChannel implements Channel {
  /** Where some deliveries wait for the event loop. */
  readonly #clock: Clock | undefined;
  readonly #unsentBytes: () => number;
  #events: ChannelEvents | undefined;
  #arrivals = 0;
  /** What has arrived while a delivery waits, which must not overtake it. */
  #waiting: Uint8Array[] | undefined;
  peer: LocalChannel | undefined;

  constructor(unsentBytes: () => number, clock?: Clock) {
    this.#unsentBytes = unsentBytes;
    this.#clock = clock;
  }

  get unsentBytes(): number {
    return this.#unsentBytes();
  }

  open(events: ChannelEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): void {
    this.peer?.arrive(bytes.slice());
  }

  close(): void {
    void Promise.resolve().then(() => this.#events?.closed());
  }

  abort(): void {
    this.close();
  }

  drained(): void {
    this.#events?.drained();
  }

  arrive(bytes: Uint8Array): void {
    if (this.#waiting !== undefined) return void this.#waiting.push(bytes);
    if (this.#clock === undefined || ++this.#arrivals % IN_A_ROW !== 0) {
      return void Promise.resolve().then(() => this.#events?.data(bytes));
    }
    this.#waiting = [bytes];
    this.#clock.soon(() => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const chunk of waiting) this.#events?.data(chunk);
    });
  }
}
