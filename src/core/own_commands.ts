/**
 * The broker's own commands, by the broker's name: from its modules, from the program, and by its control socket.
 *
 * @module
 */

import type { Channel, ChannelEvents, Runtime } from "../runtime/runtime.ts";
import { Callee } from "./call/callee.ts";
import { Caller } from "./call/caller.ts";
import { CallCounters } from "./call/counters.ts";
import { DEFAULT_QUEUE_LIMITS } from "./call/queue.ts";
import type { RunningCall } from "./call/running_call.ts";
import { UnknownCommandError } from "./errors.ts";
import type { ReceivedCall } from "./frame/batch.ts";
import { DEFAULT_FRAME_LIMIT, FrameType } from "./frame/header.ts";
import { Link } from "./frame/link.ts";
import type { Reporter } from "./log/reporter.ts";
import type { Handler } from "./module.ts";
import { nearest } from "./nearest.ts";

export interface OwnCommandsOptions {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly broker: string;
  readonly commands: ReadonlyMap<string, Handler>;
}

export class OwnCommands {
  readonly #options: OwnCommandsOptions;
  #caller: Caller | undefined;

  constructor(options: OwnCommandsOptions) {
    this.#options = options;
  }

  /** For calls made in this process: they go over a channel like any other, so that they end in no other ways. */
  get caller(): Caller {
    this.#caller ??= this.#connect();
    return this.#caller;
  }

  /** A module's call. */
  async run({ command, params }: ReceivedCall, context: RunningCall): Promise<unknown> {
    const { broker, commands, reporter } = this.#options;
    const handler = commands.get(command);
    if (handler === undefined) {
      reporter.report("command.unknown", { command }, { module: context.caller });
      throw new UnknownCommandError({ target: broker, command }, { nearest: nearest(command, commands.keys()) });
    }
    return await Reflect.apply(handler, context, params);
  }

  #connect(): Caller {
    const { runtime, reporter, broker, commands } = this.#options;
    const limit = { frameLimit: DEFAULT_FRAME_LIMIT, ownFiles: runtime.ownFiles };
    const caller = new Caller({
      ...limit,
      clock: runtime.clock,
      reporter,
      counters: new CallCounters(),
      module: broker,
      queue: DEFAULT_QUEUE_LIMITS,
      concurrency: Infinity,
      thread: () => runtime.thread(),
    });
    const [near, far] = LocalChannel.pair();
    const callerLink = this.#link(near, (type, flags, body) => {
      if (type === FrameType.answers) caller.answers(flags, body);
    });
    const calleeLink: Link = this.#link(far, (type, flags, body) => {
      if (!callee.receive(type, flags, body) && type === FrameType.ping) calleeLink.send(FrameType.pong, "1");
    });
    const callee = new Callee(calleeLink, { ...limit, reporter, service: { commands }, module: broker, peer: broker });
    callee.open();
    caller.connect(callerLink);
    return caller;
  }

  #link(channel: Channel, frame: (type: number, flags: number, body: Uint8Array) => void): Link {
    const nothing = () => {};
    const events = { frame, refused: nothing, drained: nothing, closed: nothing };
    return new Link(channel, this.#options.runtime.clock, { frameLimit: DEFAULT_FRAME_LIMIT, events });
  }
}

/** One end of a channel within this process. */
class LocalChannel implements Channel {
  readonly unsentBytes = 0;
  #events: ChannelEvents | undefined;
  #peer: LocalChannel | undefined;

  static pair(): [LocalChannel, LocalChannel] {
    const [one, other] = [new LocalChannel(), new LocalChannel()];
    [one.#peer, other.#peer] = [other, one];
    return [one, other];
  }

  open(events: ChannelEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): void {
    void Promise.resolve().then(() => this.#peer?.deliver(bytes));
  }

  close(): void {
    this.#events?.closed();
  }

  deliver(bytes: Uint8Array): void {
    this.#events?.data(bytes);
  }
}
