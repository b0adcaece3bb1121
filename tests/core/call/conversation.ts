import { CallStream } from "../../../src/core/call/stream.ts";
import { CallServer, Onward, type ServerLimits } from "../../../src/core/call/server.ts";
import { CallClient, DEFAULT_LIMITS } from "../../../src/core/call/client.ts";
import { CallCounters } from "../../../src/core/call/outcomes.ts";
import { type CodecName, CODECS, FrameType } from "../../../src/core/wire/frame.ts";
import { Link } from "../../../src/core/wire/link.ts";
import type { CallCounts } from "../../../src/core/wire/status.ts";
import type { BrokerFault } from "../../../src/core/faults.ts";
import { commandMap } from "../../../src/core/module/module.ts";
import type { Commands } from "../../../src/core/module/definition.ts";
import { frame } from "../frames.ts";
import { TestReporter } from "../log_of.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import type { MemoryFiles } from "../memory_files.ts";
import { MemoryChannel } from "../memory_channel.ts";

export interface ConversationOptions {
  readonly concurrency?: number;
  readonly queue?: number;
  readonly queueBytes?: number;
  readonly frameLimit?: number;
  /** What both sides speak. @default "json" */
  readonly codec?: CodecName;
  /** What a peer may have without an answer. @default what a brokkr may have out */
  readonly limits?: ServerLimits;
  /** Where large values lie. @default on the channel */
  readonly files?: MemoryFiles;
  /** Where the callee passes each call on to, as a broker does. @default nowhere: it runs them */
  readonly passesOnTo?: Conversation;
  /** What the runtime says of its stacks. @default false */
  readonly tracesPromises?: boolean;
  /** Leave the caller without a link. */
  readonly away?: boolean;
  /** Leave the callee as it is before its cleanup is over. */
  readonly closed?: boolean;
}

export interface CallChoices {
  readonly timeoutMs?: number;
  readonly retry?: "once" | "never";
  readonly signal?: AbortSignal;
  readonly passedOn?: boolean;
  readonly totalTimeoutMs?: number;
  readonly onProgress?: (value: unknown) => void;
}

export const KILLED: BrokerFault = {
  code: "GONE",
  reason: "process was killed by SIGKILL",
  exitCode: null,
  signal: "SIGKILL",
  lastLines: ["last words"],
};

/** One process of the module, and the channel to it. */
interface ModuleSide {
  readonly callee: CallServer;
  readonly callerEnd: MemoryChannel;
  readonly calleeEnd: MemoryChannel;
  readonly callerLink: Link;
  readonly calleeLink: Link;
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
  readonly caller: CallClient;
  readonly #commands: Commands;
  readonly #frameLimit: number;
  readonly #files: MemoryFiles | null;
  readonly #limits: ServerLimits | undefined;
  readonly #next: Conversation | undefined;
  codec: CodecName;
  #process: ModuleSide;

  constructor(commands: Commands, options: ConversationOptions = {}) {
    this.#commands = commands;
    this.#frameLimit = options.frameLimit ?? 16 * 1024 * 1024;
    this.codec = options.codec ?? "json";
    this.#files = options.files ?? null;
    this.#limits = options.limits;
    this.#next = options.passesOnTo;
    this.caller = new CallClient({
      codec: this.codec,
      clock: this.clock,
      reporter: this.sent,
      counters: this.counters,
      module: "Livestatus",
      limits: {
        calls: options.queue ?? DEFAULT_LIMITS.calls,
        bytes: options.queueBytes ?? DEFAULT_LIMITS.bytes,
        concurrency: options.concurrency ?? DEFAULT_LIMITS.concurrency,
      },
      frameLimit: this.#frameLimit,
      thread: () => undefined,
      tracesPromises: options.tracesPromises ?? false,
      ownFiles: [],
    });
    this.#process = this.#newProcess();
    if (options.closed !== true) this.callee.open();
    if (options.away !== true) this.connect();
  }

  get callee(): CallServer {
    return this.#process.callee;
  }

  get callerEnd(): MemoryChannel {
    return this.#process.callerEnd;
  }

  get calleeEnd(): MemoryChannel {
    return this.#process.calleeEnd;
  }

  get callerLink(): Link {
    return this.#process.callerLink;
  }

  get calleeLink(): Link {
    return this.#process.calleeLink;
  }

  /** A new process of the module, ready, to which the caller is not connected yet. */
  startAgain(): void {
    this.#process = this.#newProcess();
    this.callee.open();
  }

  #newProcess(): ModuleSide {
    const [callerEnd, calleeEnd] = MemoryChannel.pair();
    const common = {
      refused: (reason: string, excerpt: string) => void this.refused.push(`${reason} | ${excerpt}`),
      closed: (reason: string | null) => void this.closed.push(reason),
    };
    const files = () => Promise.resolve(this.#files);
    const callerLink = new Link(callerEnd, this.clock, {
      frameLimit: this.#frameLimit,
      shared: { files, makes: true },
      events: {
        ...common,
        frame: (type, flags, body) => {
          if (type === FrameType.answers) this.caller.answers(flags, body);
        },
        drained: () => this.caller.drained(),
      },
    });
    const calleeLink = new Link(calleeEnd, this.clock, {
      frameLimit: this.#frameLimit,
      shared: { files, makes: false },
      events: {
        ...common,
        frame: (type, flags, body) => {
          callee.receive(type, flags, body);
          if (type === FrameType.ping) calleeLink.pong();
        },
        drained: () => {},
      },
    });
    const codecs = this.codec === "rich" ? CODECS : [];
    callerLink.negotiate(codecs);
    calleeLink.negotiate(codecs);
    const next = this.#next;
    const passedOn = next && {
      target: "sla",
      forward: () => new Onward(next.caller, { target: "sla", timeoutMs: 1000 }),
    };
    const callee = new CallServer(calleeLink, {
      reporter: this.received,
      service: { commands: commandMap("commands", this.#commands), ...passedOn },
      module: "Livestatus",
      peer: "broker-master",
      frameLimit: this.#frameLimit,
      ownFiles: [],
      ...(this.#limits === undefined ? {} : { limits: this.#limits }),
    });
    return { callee, callerEnd, calleeEnd, callerLink, calleeLink };
  }

  connect(): void {
    this.caller.connect(this.callerLink);
  }

  /** The process ends, as the broker sees it. */
  crash(): void {
    this.callerLink.close(null);
    this.callee.abort();
    this.caller.disconnect(KILLED);
  }

  /** Calls a command with the default timeout of 1 s. */
  async call(command: string, params: readonly unknown[] = [], choices: CallChoices = {}): Promise<unknown> {
    const { timeoutMs = 1000, retry = "once", ...others } = choices;
    return await this.caller.call(command, params, { target: "Livestatus", timeoutMs, retry, ...others });
  }

  /** Streams a command with the default timeout of 1 s. */
  stream(command: string, params: readonly unknown[] = [], choices: CallChoices = {}): CallStream {
    const { timeoutMs = 1000, retry = "once", ...others } = choices;
    const options = { target: "Livestatus", timeoutMs, retry, ...others };
    return new CallStream(command, params, () => ({ caller: this.caller, options }));
  }

  /** An answers frame as if the callee had sent it. */
  async answer(ids: readonly unknown[], values: readonly unknown[], kind = 0): Promise<void> {
    this.callerEnd.deliver(frame(FrameType.answers, JSON.stringify([ids, 0, ids.map(() => kind), values])));
    await settle();
  }

  /** Bodies of the frames of one type that were written at `end`. @default the caller's */
  bodies(type: number, end = this.callerEnd): unknown[] {
    return end.written.flatMap((bytes) => {
      const found: unknown[] = [];
      for (let at = 0; at < bytes.length;) {
        const length = new DataView(bytes.buffer, bytes.byteOffset + at + 4, 4).getUint32(0);
        const body = bytes.subarray(at + 8, at + 8 + length);
        if (bytes[at + 2] === type) found.push(JSON.parse(new TextDecoder().decode(body)));
        at += 8 + length;
      }
      return found;
    });
  }

  /** The counters that are not 0. */
  counts(): Partial<CallCounts> {
    return Object.fromEntries(Object.entries(this.counters.counts()).filter(([, count]) => count > 0));
  }

  /** What a test leaves behind: calls, timers, a link that has half a frame. */
  async leftovers(): Promise<{ pending: number; timers: number }> {
    await this.clock.advance(60_000);
    return { pending: this.caller.pending, timers: this.clock.timers };
  }
}

export const NOTHING_LEFT = { pending: 0, timers: 0 };

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { resolvedWith: await promise };
  } catch (error) {
    return error;
  }
}

/** The line that says why an attempt got no answer; `heard`: how long ago the callee gave a sign of life. */
export function silenceLine(attempt: number, peer: "blocked" | "slow", heard: string): string {
  const why = peer === "slow" ? "lives, and works on the command" : "gives no sign of life";
  return "DEBUG : [ broker-master ] [ Livestatus ] [ HEARTBEAT ] [ PID:29341 ] [ MainThread ] Livestatus did not answer " +
    `attempt ${attempt} of [get_module_info] in time: it is ${peer} (${why}; last heard of ${heard} ago)`;
}

/** The prefix of COMMAND CALL lines of this conversation. */
export function callLine(level: string, text: string): string {
  return `${level} : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ MainThread ] ${text}`;
}
