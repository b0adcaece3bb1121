import { Callee } from "../../../src/core/call/callee.ts";
import { Caller } from "../../../src/core/call/caller.ts";
import { CallCounters } from "../../../src/core/call/counters.ts";
import { makeCall } from "../../../src/core/call/make_call.ts";
import { DEFAULT_QUEUE_LIMITS } from "../../../src/core/call/queue.ts";
import { FrameType } from "../../../src/core/frame/header.ts";
import { Link } from "../../../src/core/frame/link.ts";
import { commandMap, type Commands } from "../../../src/core/module.ts";
import { TestReporter } from "../log_of.ts";
import { ManualClock } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";

export interface ConversationOptions {
  readonly concurrency?: number;
  readonly queue?: number;
  readonly frameLimit?: number;
}

/** A broker that calls module Livestatus over a channel in memory, on a clock that the test owns. */
export class Conversation {
  readonly clock = new ManualClock();
  readonly counters = new CallCounters();
  /** What the caller's side reports, and the callee's. */
  readonly sent = new TestReporter();
  readonly received = new TestReporter();
  readonly refused: string[] = [];
  readonly closed: (string | null)[] = [];
  readonly caller: Caller;
  readonly callee: Callee;
  readonly callerEnd: MemoryChannel;
  readonly calleeEnd: MemoryChannel;
  readonly callerLink: Link;
  readonly calleeLink: Link;

  constructor(commands: Commands, options: ConversationOptions = {}) {
    const frameLimit = options.frameLimit ?? 16 * 1024 * 1024;
    this.caller = new Caller({
      clock: this.clock,
      reporter: this.sent,
      counters: this.counters,
      module: "Livestatus",
      queue: { ...DEFAULT_QUEUE_LIMITS, calls: options.queue ?? DEFAULT_QUEUE_LIMITS.calls },
      concurrency: options.concurrency ?? Infinity,
      frameLimit,
      thread: () => undefined,
      ownFiles: [],
    });
    [this.callerEnd, this.calleeEnd] = MemoryChannel.pair();
    this.callerLink = new Link(this.callerEnd, this.clock, {
      frameLimit,
      events: {
        frame: (type, flags, body) => {
          if (type === FrameType.answers) this.caller.answers(flags, body);
        },
        refused: (reason, excerpt) => void this.refused.push(`${reason} | ${excerpt}`),
        drained: () => this.caller.drained(),
        closed: (reason) => void this.closed.push(reason),
      },
    });
    this.calleeLink = new Link(this.calleeEnd, this.clock, {
      frameLimit,
      events: {
        frame: (type, flags, body) => {
          if (type === FrameType.calls) this.callee.calls(flags, body);
          if (type === FrameType.cancel) this.callee.cancel(body);
          if (type === FrameType.ping) this.calleeLink.send(FrameType.pong, "1");
        },
        refused: (reason, excerpt) => void this.refused.push(`${reason} | ${excerpt}`),
        drained: () => {},
        closed: (reason) => void this.closed.push(reason),
      },
    });
    this.callee = new Callee(this.calleeLink, {
      reporter: this.received,
      service: { commands: commandMap("commands", commands) },
      module: "Livestatus",
      peer: "broker-master",
      frameLimit,
      ownFiles: [],
    });
    this.callee.open();
  }

  connect(): this {
    this.caller.connect(this.callerLink);
    return this;
  }

  /** Calls a command with the default timeout of 1 s. */
  async call(
    command: string,
    params: readonly unknown[] = [],
    options: { timeoutMs?: number; retry?: "once" | "never"; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const { timeoutMs = 1000, retry = "once", signal } = options;
    return await makeCall(this.caller, command, params, { target: "Livestatus", timeoutMs, retry, signal });
  }
}
