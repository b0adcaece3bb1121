/** A callee within this process. Its calls go over a channel like any others, so that they have the same outcomes. */

import type { Channel, ChannelEvents, Clock } from "../../runtime/runtime.ts";
import { type CodecName, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import { goneFault } from "../faults.ts";
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
    caller.disconnect(goneFault(reason), link);
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

/** Of so many answers one waits for the event loop. */
const IN_A_ROW = 64;

/**
 * When what has arrived within a process is delivered: when the code that runs now is done, and one time in `inARow` after what else is
 * ready in the event loop, which a loop of calls would never let turn. What arrives meanwhile does not overtake it.
 */
export class Wakes {
  readonly #wake: () => void;
  readonly #clock: Clock | undefined;
  readonly #inARow: number;
  #count = 0;
  #waits = false;

  /** @param clock absent where nothing waits for the event loop. */
  constructor(wake: () => void, clock: Clock | undefined, inARow: number) {
    this.#wake = wake;
    this.#clock = clock;
    this.#inARow = inARow;
  }

  next(): void {
    if (this.#waits) return;
    if (this.#clock === undefined || ++this.#count % this.#inARow !== 0) {
      return void Promise.resolve().then(() => this.#wake());
    }
    this.#waits = true;
    this.#clock.soon(() => {
      this.#waits = false;
      this.#wake();
    });
  }
}

/** One end of a channel within this process. */
class LocalChannel implements Channel {
  readonly #unsentBytes: () => number;
  readonly #wakes: Wakes;
  #events: ChannelEvents | undefined;
  #arrived: Uint8Array[] = [];
  peer: LocalChannel | undefined;

  /** @param clock that of the end where some deliveries wait for the event loop. */
  constructor(unsentBytes: () => number, clock?: Clock) {
    this.#unsentBytes = unsentBytes;
    this.#wakes = new Wakes(() => this.#deliver(), clock, IN_A_ROW);
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
    this.#arrived.push(bytes);
    this.#wakes.next();
  }

  #deliver(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const chunk of arrived) this.#events?.data(chunk);
  }
}
