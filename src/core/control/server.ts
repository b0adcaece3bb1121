import type { Channel, Listener, Runtime } from "../../runtime/runtime.ts";
import type { BrokerCore } from "../broker/broker.ts";
import { CallServer } from "../call/server.ts";
import { sleep, within } from "../duration.ts";
import { LineLimit, SILENT } from "../log/reporter.ts";
import type { Handler } from "../module/definition.ts";
import { isGenerator, messageOf } from "../user_code.ts";
import { BodyError, CODECS, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import { helloOf, helloText, readHello } from "../wire/messages.ts";
import { controlCommands } from "./commands.ts";
import { bindSocket, ControlSocketError } from "./name_lock.ts";
import { ASKED_FRAME_LIMIT } from "./protocol.ts";
import { CONTROL_FOLDER, socketPath } from "./socket_name.ts";
import { obeySignals } from "./signals.ts";

/** The sender's name in lines about dropped frames. */
const CLIENT = "a client of the control socket";

/** Beyond this many clients, one that only waits makes room for the next. Fewer where the process may not open many files. */
const MAX_CLIENTS = 256;
/** Connections that this side has closed and the client has not closed yet. */
const MAX_LEAVING = 16;
/** Lines a second about frames that can't be read. */
const MAX_LINES = 20;

const HELLO_DEADLINE_MS = 5_000;
/** Time for the last answers when the broker ends. */
const LAST_ANSWERS_MS = 1_000;

/** Limits of one client's unanswered calls: far more than a person makes. */
const LIMITS = { calls: 1_024, bytes: 4 * 1024 * 1024 };

/** A shell answers at once. */
const SHELL_MS = 2_000;
/** The rest of the files that a process may have open is for its modules. */
const SHARE = 1 / 4;

/** How often a broker looks for its socket: what cleans folders of temporary files, or a logout, removes it. */
const WATCH_MS = 5_000;

export interface ExposeOptions {
  readonly runtime: Runtime;
  readonly control: boolean;
  /**
   * SIGINT and SIGTERM drain the broker and end the process; a second one kills what still runs. A broker that stops because a module
   * failed ends the process with exit code 1.
   */
  readonly signals: boolean;
  /** What each SIGHUP does, where signals are handled. @default replaces every module's process, one SIGHUP after the other */
  readonly reload?: () => unknown;
  /** The brokers of this process that a signal ends: the last one takes the process with it. @default this one alone */
  readonly signalled?: Set<BrokerCore>;
}

/** Makes `core` reachable until it has stopped. @throws {NameTakenError} when a live broker has its name. */
export async function exposeBroker(core: BrokerCore, options: ExposeOptions): Promise<void> {
  const { runtime, control, signals, reload, signalled = new Set() } = options;
  let server: ControlServer | undefined;
  let ending = false;
  const exit = () => {
    if (signalled.size === 0) runtime.exit(core.hasFailed ? 1 : 0);
  };
  const end = async () => {
    ending = true;
    await core.stop();
    await server?.close();
    signalled.delete(core);
    exit();
  };
  if (control) {
    const stop = async () => {
      if (signals) void end();
      await core.stop();
    };
    const commands = controlCommands(core, { now: () => runtime.clock.now(), stop });
    const dropped = (what: string, count: number) => core.report("process.dropped", { process: CLIENT, what, count });
    const restored = (path: string) => core.report("broker.socket-restored", { path });
    server = await ControlServer.open({ runtime, broker: core.name, commands, dropped, restored });
    // Not awaited: the client that stopped the broker waits for its answer, and close() waits for that client.
    core.whenStopped(() => void server?.close());
  }
  if (signals) {
    signalled.add(core);
    const forget = obeySignals(core, { runtime, end, reload });
    core.whenStopped(() => {
      // A process that is about to exit keeps its listeners: a signal too many would end it otherwise than by its exit.
      if (ending) return;
      forget();
      signalled.delete(core);
      if (core.hasFailed) exit();
    });
  }
}

export interface ControlServerOptions {
  readonly runtime: Runtime;
  readonly broker: string;
  readonly commands: ReadonlyMap<string, Handler>;
  readonly dropped: (what: string, count: number) => void;
  /** The socket was gone, and is there again. */
  readonly restored: (path: string) => void;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #peers = new Set<ControlPeer>();
  readonly #leaving = new Set<Channel>();
  readonly #limit: number;
  readonly #lines: LineLimit;
  #listener: Listener | undefined;
  #closing: Promise<unknown> | undefined;
  #stopWatching: () => void = () => {};

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
      server.#listener = await server.#bind(socketPath((await runtime.files()).folder(CONTROL_FOLDER), broker));
      server.#watch();
    } catch (cause) {
      if (cause instanceof ControlSocketError) throw cause;
      throw new ControlSocketError(messageOf(cause), { cause });
    }
    return server;
  }

  #bind(path: string): Promise<Listener> {
    const { runtime, broker } = this.#options;
    return bindSocket(runtime, { broker, path, accept: (channel) => this.#accept(channel) });
  }

  #watch(): void {
    if (this.#closing !== undefined) return;
    this.#stopWatching = this.#options.runtime.clock.timer(WATCH_MS, () => {
      // What can't be bound now, or is another broker's by now, may be free the next time.
      void this.#restore().catch(() => {}).then(() => this.#watch());
    });
  }

  /** Binds a socket that was removed again. @throws what keeps it from that */
  async #restore(): Promise<void> {
    const files = await this.#options.runtime.files();
    const folder = files.folder(CONTROL_FOLDER);
    const path = socketPath(folder, this.#options.broker);
    if (files.list(folder).some((name) => path === `${folder}/${name}`)) return;
    this.#listener?.close();
    this.#listener = undefined;
    const listener = await this.#bind(path);
    if (this.#closing !== undefined) return listener.close();
    this.#listener = listener;
    this.#options.restored(path);
  }

  /** Frees the name; settles when each client has all of its answers. */
  async close(): Promise<void> {
    this.#stopWatching();
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

export interface ControlPeerOptions extends Pick<ControlServerOptions, "runtime" | "broker" | "commands"> {
  readonly ended: () => void;
  /** A frame could not be read, or nothing behind it. */
  readonly dropped: (what: string) => void;
}

export class ControlPeer {
  readonly #options: ControlPeerOptions;
  readonly #link: Link;
  readonly #clearDeadline: () => void;
  #callee: CallServer | undefined;
  #running = 0;
  #streams = 0;
  #activeAt: number;
  #isEnding = false;

  constructor(channel: Channel, options: ControlPeerOptions) {
    this.#options = options;
    const { clock } = options.runtime;
    this.#activeAt = clock.now();
    this.#clearDeadline = clock.timer(HELLO_DEADLINE_MS, () => this.close("the client said no hello"));
    this.#link = new Link(channel, clock, {
      frameLimit: ASKED_FRAME_LIMIT,
      sendLimit: DEFAULT_FRAME_LIMIT,
      events: {
        frame: (type, flags, body) => this.#frame(type, flags, body),
        refused: (reason, excerpt) => options.dropped(`frame (${reason}: ${excerpt})`),
        drained: () => {},
        closed: (reason, failed) => this.#closed(failed ? null : reason),
      },
    });
  }

  get isBusy(): boolean {
    return this.#running + this.#streams > 0;
  }

  /** Whether it has not said hello yet. */
  get isStranger(): boolean {
    return this.#callee === undefined;
  }

  /** When it connected, or its last command ended. */
  get activeAt(): number {
    return this.#activeAt;
  }

  close(reason: string | null): void {
    this.#isEnding = true;
    this.#link.close(reason);
  }

  /** Lets running commands end; settles when their answers are sent, or when their time is over. */
  async finish(): Promise<void> {
    const { clock } = this.#options.runtime;
    const until = clock.now() + LAST_ANSWERS_MS;
    const wait = () => sleep(clock, 1);
    while (this.#running > 0 && !this.#link.closed && clock.now() < until) await wait();
    // The last answer is on its way to the link.
    await wait();
    this.close(null);
    while (this.#link.unsentBytes > 0 && clock.now() < until) await wait();
  }

  #frame(type: number, flags: number, body: Uint8Array): void {
    if (this.#callee === undefined) {
      if (type !== FrameType.hello) throw new BodyError("a frame came before the hello");
      this.#greet(body);
    } else if (!this.#callee.receive(type, flags, body) && type === FrameType.ping) {
      this.#link.pong();
    }
  }

  #greet(body: Uint8Array): void {
    const { runtime, broker, commands } = this.#options;
    // A client of another protocol must learn which one this is.
    this.#link.send(FrameType.hello, helloText(helloOf(runtime, { broker, process: broker, codecs: CODECS })));
    this.#clearDeadline();
    try {
      this.#link.negotiate(readHello(body).codecs);
    } catch (error) {
      return this.close(messageOf(error));
    }
    const counted = [...commands].map(([name, handler]) => [name, this.#counted(handler)] as const);
    this.#callee = new CallServer(this.#link, {
      reporter: SILENT,
      service: { commands: new Map(counted) },
      module: broker,
      peer: "brokkr",
      frameLimit: DEFAULT_FRAME_LIMIT,
      ownFiles: [],
      limits: LIMITS,
      answersRefused: true,
    });
    this.#callee.open();
  }

  #counted(handler: Handler): Handler {
    const count = (running: number, streams: number) => {
      this.#running += running;
      this.#streams += streams;
      this.#activeAt = this.#options.runtime.clock.now();
    };
    return async function (...params) {
      count(1, 0);
      try {
        const result: unknown = await Reflect.apply(handler, this, params);
        return typeof result === "object" && result !== null && isGenerator(result) ? counted(result, count) : result;
      } finally {
        count(-1, 0);
      }
    };
  }

  /** @param reason why the link closed itself. */
  #closed(reason: string | null): void {
    if (reason !== null && !this.#isEnding) this.#options.dropped(`connection (${reason})`);
    this.#clearDeadline();
    this.#callee?.abort();
    this.#options.ended();
  }
}

async function* counted(
  items: AsyncIterable<unknown> | Iterable<unknown>,
  count: (running: number, streams: number) => void,
): AsyncGenerator<unknown> {
  count(0, 1);
  try {
    yield* items;
  } finally {
    count(0, -1);
  }
}

/** `most` connections, or a quarter of the files that this process may have open where that is less. */
export async function shareOfFiles(runtime: Runtime, most: number): Promise<number> {
  const limit = await within(runtime.clock, SHELL_MS, openFileLimit(runtime), "no answer").catch(() => Infinity);
  return Math.max(1, Math.min(most, Math.floor(limit * SHARE)));
}

/** No runtime has an API for its own limit; a shell inherits it. */
async function openFileLimit(runtime: Runtime): Promise<number> {
  const shell = await runtime.spawnCommand(["/bin/sh", "-c", "ulimit -n"], { env: {}, group: false });
  let text = "";
  const ended = new Promise<void>((resolve) => {
    shell.channel.open({
      data: (chunk) => text += new TextDecoder().decode(chunk),
      drained: () => {},
      closed: () => resolve(),
    });
  });
  await Promise.all([ended, shell.exited]);
  return /^\d+\s*$/.test(text) ? Number(text) : Infinity;
}
