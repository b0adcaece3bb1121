/**
 * The broker's side of the control socket.
 *
 * @module
 */

import type { Channel, Listener, Runtime } from "../../runtime/runtime.ts";
import type { Handler } from "../module/module.ts";
import { claim } from "./claim.ts";
import { ControlSocketError } from "./control_socket_error.ts";
import { ControlPeer } from "./peer.ts";
import { CONTROL_FOLDER, socketPath } from "./protocol.ts";
import { messageOf } from "../thrown.ts";

/** Beyond this many clients, one that only waits makes room for the next. */
const MAX_CLIENTS = 128;

export interface ControlServerOptions {
  readonly runtime: Runtime;
  readonly broker: string;
  readonly commands: ReadonlyMap<string, Handler>;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #peers = new Set<ControlPeer>();
  #listener: Listener | undefined;
  #closing: Promise<unknown> | undefined;

  private constructor(options: ControlServerOptions) {
    this.#options = options;
  }

  /** Takes the broker's name and listens. @throws {NameTakenError} when a live broker has it. @throws {ControlSocketError} */
  static async open(options: ControlServerOptions): Promise<ControlServer> {
    const { runtime, broker } = options;
    const server = new ControlServer(options);
    try {
      const path = socketPath(runtime.files.folder(CONTROL_FOLDER), broker);
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
  }

  #accept(channel: Channel): void {
    if (this.#peers.size >= MAX_CLIENTS) this.#makeRoom();
    const peer = new ControlPeer(channel, { ...this.#options, ended: () => this.#peers.delete(peer) });
    this.#peers.add(peer);
  }

  #makeRoom(): void {
    for (const peer of this.#peers) {
      if (peer.isBusy) continue;
      peer.close("too many clients are connected to the broker");
      return;
    }
  }
}
