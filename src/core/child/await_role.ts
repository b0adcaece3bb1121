/**
 * A process that is kept ready, from its own side: it has loaded what every process of its broker loads, and waits until it receives the
 * role that another process has from its start. `standby.ts` is the parent's side.
 */

import type { Channel, ChannelEvents, Runtime } from "../../runtime/runtime.ts";
import { DEFAULT_FRAME_LIMIT, FrameReader, FrameType, FrameWriter } from "../wire/frame.ts";
import { type ControlFromParent, controlFromParent } from "../wire/messages.ts";
import { readRole, type Role } from "./role.ts";

/** A channel with one reader for what comes first, and another one for the rest. */
export class HeldChannel implements Channel {
  readonly #channel: Channel;
  readonly #first: Pick<ChannelEvents, "data" | "closed">;
  #events: ChannelEvents | undefined;
  /** What came for the second reader before it was there. */
  #kept: Uint8Array[] | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  #arrived = () => {};

  constructor(channel: Channel, first: Pick<ChannelEvents, "data" | "closed">) {
    this.#channel = channel;
    this.#first = first;
    channel.open({
      data: (chunk) => this.#data(chunk),
      drained: () => this.#events?.drained(),
      closed: (error) => this.#closed(error),
    });
  }

  get unsentBytes(): number {
    return this.#channel.unsentBytes;
  }

  /** What comes from now on is for the second reader. */
  hold(arrived = () => {}): void {
    this.#kept = [];
    this.#arrived = arrived;
  }

  open(events: ChannelEvents): void {
    void Promise.resolve().then(() => {
      for (const chunk of this.#kept ?? []) events.data(chunk);
      this.#events = events;
      if (this.#end !== undefined) this.#closed(this.#end.error);
    });
  }

  write(bytes: Uint8Array): void {
    this.#channel.write(bytes);
  }

  close(): void {
    this.#channel.close();
  }

  abort(): void {
    this.#channel.abort();
  }

  #data(chunk: Uint8Array): void {
    if (this.#events !== undefined) return this.#events.data(chunk);
    if (this.#kept === undefined) return this.#first.data(chunk);
    this.#kept.push(Uint8Array.from(chunk));
    this.#arrived();
  }

  #closed(error: Error | undefined): void {
    const { closed } = this.#events ?? this.#first;
    if (this.#events === undefined && this.#kept !== undefined) this.#end = { error };
    else if (error === undefined) closed();
    else closed(error);
  }
}

/** What a process that was kept ready has become. */
export interface Assigned {
  readonly runtime: Runtime;
  readonly channel: Channel;
  readonly role: Role;
}

/** Settles with the role that the process receives. Where its parent ends first, it ends too. */
export async function awaitRole({ runtime, channel, role: standby }: Assigned): Promise<Assigned> {
  let assign = (_message: Extract<ControlFromParent, { kind: "role" }>) => {};
  const assigned = new Promise<Extract<ControlFromParent, { kind: "role" }>>((resolve) => assign = resolve);
  const reader = new FrameReader(DEFAULT_FRAME_LIMIT, (type, _flags, body) => {
    const message = type === FrameType.notice ? controlFromParent.read(body) : null;
    if (message?.kind !== "role") return;
    held.hold();
    assign(message);
  });
  const held = new HeldChannel(channel, { data: (chunk) => reader.push(chunk), closed: () => runtime.exit(0) });
  // Whatever comes from it shows that it is ready.
  const writer = new FrameWriter(held, DEFAULT_FRAME_LIMIT);
  writer.text(FrameType.ping, "1");
  writer.writeOut();
  const { role: text, folder, set, unset } = await assigned;
  for (const name of unset) runtime.env.remove(name);
  for (const [name, value] of Object.entries(set)) runtime.env.set(name, value);
  const { role } = readRole(text);
  if (role === null) throw new Error(`Cannot serve: the role of this process names no module, and it is "${text}"`);
  // The mark in the environment that it was started with stays, and it is found by that.
  const own = { ...role, tree: standby.tree };
  if (folder === runtime.startedIn) return { runtime, channel: held, role: own };
  return { runtime: { ...runtime, startedIn: runtime.enterFolder(folder) }, channel: held, role: own };
}
