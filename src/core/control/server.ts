/**
 * The broker's side of the control socket.
 *
 * @module
 */

import type { Channel, Listener, Runtime } from "../../runtime/runtime.ts";
import type { Handler } from "../module/module.ts";
import { LineLimit } from "../log/line_limit.ts";
import { claim } from "./claim.ts";
import { ControlSocketError } from "./control_socket_error.ts";
import { shareOfFiles } from "./file_limit.ts";
import { ControlPeer } from "./peer.ts";
import { CONTROL_FOLDER, socketPath } from "./protocol.ts";
import { messageOf } from "../thrown.ts";

/** Beyond this many clients, one that only waits makes room for the next. Fewer where the process may not open many files. */
const MAX_CLIENTS = 256;
/** Connections of clients that were told to go, and have not ended them yet. */
const MAX_LEAVING = 16;
/** Lines a second about what clients send that can't be read. */
const MAX_LINES = 20;

export interface ControlServerOptions {
  readonly runtime: Runtime;
  readonly broker: string;
  readonly commands: ReadonlyMap<string, Handler>;
  /** Frames of a client were refused. */
  readonly dropped: (what: string, count: number) => void;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #peers = new Set<ControlPeer>();
  readonly #leaving = new Set<Channel>();
  readonly #limit: number;
  readonly #lines: LineLimit;
  #listener: Listener | undefined;
  #closing: Promise<unknown> | undefined;

  private constructor(options: ControlServerOptions, limit: number) {
    this.#options = options;
    this.#limit = limit;
    this.#lines = new LineLimit(options.runtime.clock, MAX_LINES, (count) => {
      options.dropped(`other frames (limit: ${MAX_LINES} lines a second)`, count);
    });
  }

  /** Takes the broker's name and listens. @throws {NameTakenError} when a live broker has it. @throws {ControlSocketError} */
  static async open(options: ControlServerOptions): Promise<ControlServer> {
    const { runtime, broker } = options;
    const server = new ControlServer(options, await shareOfFiles(runtime, MAX_CLIENTS));
    try {
      const path = socketPath((await runtime.files()).folder(CONTROL_FOLDER), broker);
      server.#listener = await claim(runtime, { broker, path, accept: (channel) => server.#accept(channel) });
    } catch (cause) {
      if (cause instanceof ControlSocketError) throw cause;
      throw new ControlSocketError(messageOf(cause), { cause });
    }
    return server;
  }

  /** Gives the name free; settles when each client has the answers to what it asked. */
  async close(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    this.#closing ??= Promise.all([...this.#peers].map((peer) => peer.finish()));
    await this.#closing;
    this.#lines.end();
  }

  #accept(channel: Channel): void {
    let isOpen = true;
    const watched = onClosed(channel, () => {
      isOpen = false;
      this.#leaving.delete(channel);
    });
    const hasRoom = this.#peers.size < this.#limit || this.#makeRoom();
    const peer = new ControlPeer(watched, {
      ...this.#options,
      dropped: (what) => {
        if (this.#lines.take()) this.#options.dropped(what, 1);
      },
      ended: () => {
        this.#peers.delete(peer);
        if (isOpen) this.#leave(channel);
      },
    });
    this.#peers.add(peer);
    if (!hasRoom) peer.close(`it takes no more clients, the limit is ${this.#limit} and none of them is idle`);
  }

  /** Closes a client that only waits: one that has never said anything, else the one that has waited longest. */
  #makeRoom(): boolean {
    const idle = [...this.#peers].filter(({ isBusy }) => !isBusy);
    const last = idle.find(({ isStranger }) => isStranger) ?? idle.toSorted((a, b) => a.activeAt - b.activeAt)[0];
    last?.close("too many clients are connected to the broker");
    return last !== undefined;
  }

  /** A client that does not end its side would keep a descriptor of the broker. */
  #leave(channel: Channel): void {
    this.#leaving.add(channel);
    const [first] = this.#leaving;
    if (this.#leaving.size > MAX_LEAVING) first?.abort();
  }
}

/** `channel`, whose end calls `closed` first. */
function onClosed(channel: Channel, closed: () => void): Channel {
  return {
    get unsentBytes() {
      return channel.unsentBytes;
    },
    write: (bytes) => channel.write(bytes),
    close: () => channel.close(),
    abort: () => channel.abort(),
    open: (events) =>
      channel.open({
        data: (chunk) => events.data(chunk),
        drained: () => events.drained(),
        closed(error) {
          closed();
          events.closed(error);
        },
      }),
  };
}
