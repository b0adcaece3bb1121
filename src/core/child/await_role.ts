/**
 * A process that is kept ready, from its own side: it has loaded what every process of its broker loads, and waits until it receives the
 * role that another process has from its start. Before, it lives once in memory, from the hello to its first answers: an engine compiles
 * a function when that runs first, which would cost the real life most of its time. `standby.ts` is the parent's side.
 */

import type { Channel, ChannelEvents, Runtime } from "../../runtime/runtime.ts";
import { newClient } from "../call/client.ts";
import { localChannels } from "../call/local.ts";
import { within } from "../duration.ts";
import { SILENT } from "../log/reporter.ts";
import type { Module } from "../module/definition.ts";
import { defineModule } from "../module/module.ts";
import { outputLimits, supervisionPlan } from "../settings/settings.ts";
import { CODECS, DEFAULT_FRAME_LIMIT, FrameReader, FrameType, FrameWriter } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import {
  controlFromChild,
  type ControlFromParent,
  controlFromParent,
  helloOf,
  helloText,
  readHello,
  type Setup,
} from "../wire/messages.ts";
import { CLEANUP_DEADLINE_MS } from "./cleanup.ts";
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

export interface Assigned {
  readonly runtime: Runtime;
  readonly channel: Channel;
  readonly role: Role;
}

/** Settles with the role that the process receives. Where its parent ends first, it ends too. */
export async function awaitRole({ runtime, channel, role: standby }: Assigned): Promise<Assigned> {
  let assign = (_message: ControlFromParent<"role">) => {};
  const assigned = new Promise<ControlFromParent<"role">>((resolve) => assign = resolve);
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

/** A process that does not end its rehearsal in this time waits without. */
const MAX_MS = 5_000;
const CALLS = 3;

export interface Part {
  readonly runtime: Runtime;
  readonly role: Role;
  readonly load: (role: Role) => Promise<readonly Module[]>;
}

const NAME = "rehearsal";
const OTHER = defineModule({ name: "other", commands: {}, owns: [() => {}], afterForkCleanup() {} });
const PLAYED = defineModule({ name: NAME, commands: { echo: (value: unknown) => value } });

const SETUP: Setup = {
  wanted: ["cleanup.start", "cleanup.done"],
  frameLimit: DEFAULT_FRAME_LIMIT,
  cleanupMs: CLEANUP_DEADLINE_MS,
  timeoutMs: 1_000,
  retry: "never",
  options: null,
  supervision: supervisionPlan({}),
  concurrency: null,
  queue: null,
  output: outputLimits(undefined),
  names: [],
};

/** @param load what the process has loaded by now: where that is more than one module, it has others to clean. */
export async function rehearse(
  { runtime, role, load }: Part,
  serve: (part: Part, channel: Channel) => void,
): Promise<void> {
  const { clock } = runtime;
  const [near, far] = localChannels(clock);
  const caller = newClient(runtime, { reporter: SILENT, module: NAME });
  const cleans = (await load(role)).length > 1;
  const calls = async () => {
    for (let n = 0; n < CALLS; n++) {
      await caller.call("echo", [{ id: n, text: "text" }], { target: NAME, timeoutMs: MAX_MS, retry: "never" });
    }
  };
  const played = new Promise<void>((resolve, reject) => {
    const link: Link = new Link(near, clock, {
      frameLimit: DEFAULT_FRAME_LIMIT,
      events: {
        frame(type, flags, body) {
          if (type === FrameType.hello) {
            link.negotiate(readHello(body).codecs);
            const ours = { broker: role.broker, process: role.broker, codecs: CODECS, setup: SETUP };
            link.send(FrameType.hello, helloText(helloOf(runtime, ours)));
          } else if (type === FrameType.answers) caller.answers(flags, body, link);
          else if (type === FrameType.notice && controlFromChild.read(body).kind === "ready") {
            caller.connect(link);
            calls().then(resolve, reject);
          }
        },
        refused() {},
        drained() {},
        closed: () => resolve(),
      },
    });
  });
  serve({
    runtime: withoutTraces(runtime),
    role: { ...role, module: NAME, process: NAME, standby: false },
    load: () => Promise.resolve(cleans ? [OTHER, PLAYED] : [PLAYED]),
  }, far);
  await within(clock, MAX_MS, played, "the rehearsal does not end").catch(() => {});
}

/** A runtime whose process shows nothing of the rehearsal afterwards. */
function withoutTraces(runtime: Runtime): Runtime {
  const env: Runtime["env"] = {
    get: (name) => runtime.env.get(name),
    all: () => runtime.env.all(),
    set() {},
    remove() {},
  };
  const own: Partial<Runtime> = {
    env,
    onSignal: () => () => {},
    refuseExit: () => () => {},
    sharedFiles: () => Promise.resolve(null),
  };
  return new Proxy(runtime, {
    get(target, name) {
      const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
