/**
 * One client of the control socket, from the broker's side.
 *
 * @module
 */

import type { Channel, Runtime } from "../../runtime/runtime.ts";
import { CallServer } from "../call/server.ts";
import { isGenerator } from "../module/user_code.ts";
import { BodyError, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import { helloOf, helloText, readHello } from "../wire/messages.ts";
import type { Handler } from "../module/module.ts";
import { ASKED_FRAME_LIMIT } from "./protocol.ts";
import { SILENT } from "./silent.ts";
import { messageOf } from "../thrown.ts";
import { sleep } from "../duration.ts";

/** Time a client has to say hello. */
const HELLO_DEADLINE_MS = 5_000;
/** Time that is left for answers when the broker ends. */
const LAST_ANSWERS_MS = 1_000;

/** What one client may have without an answer: far more than a person asks for. */
const LIMITS = { calls: 1_024, bytes: 4 * 1024 * 1024 };

export interface ControlPeerOptions {
  readonly runtime: Runtime;
  readonly broker: string;
  readonly commands: ReadonlyMap<string, Handler>;
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
      events: {
        frame: (type, flags, body) => this.#frame(type, flags, body),
        refused: (reason, excerpt) => options.dropped(`frame (${reason}: ${excerpt})`),
        drained: () => {},
        closed: (reason, failed) => this.#closed(failed ? null : reason),
      },
    });
  }

  /** Whether a command of this client runs. */
  get isBusy(): boolean {
    return this.#running + this.#streams > 0;
  }

  /** Whether it has said nothing yet that a client says. */
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

  /** Lets the commands that run end, and settles when their answers are out, or at once after a while. */
  async finish(): Promise<void> {
    const { clock } = this.#options.runtime;
    const until = clock.now() + LAST_ANSWERS_MS;
    const wait = () => sleep(clock, 1);
    while (this.#running > 0 && !this.#link.closed && clock.now() < until) await wait();
    // The answer of what ended last is on its way to the link.
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
    this.#link.send(FrameType.hello, helloText(helloOf(runtime, { broker, process: broker })));
    this.#clearDeadline();
    try {
      readHello(body);
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

  /** @param reason why the link ended itself. */
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
