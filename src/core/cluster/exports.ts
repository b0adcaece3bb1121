/**
 * The callee's end: sessions that other brokers have opened with this one, each for one module. A call goes on to the module as that
 * of a module of this broker would. What is not exported does not exist for others.
 */

import { CallServer, type Onward, type RunningCall, type Service } from "../call/server.ts";
import { UnknownCommandError } from "../faults.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Handler } from "../module/definition.ts";
import { messageOf, objectText } from "../user_code.ts";
import type { ReceivedCall } from "../wire/columns.ts";
import { CODECS, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import {
  type Endpoint,
  type Head,
  headOf,
  LEAST_MESSAGE_BYTES,
  MessageKind,
  type Post,
  SessionChannel,
} from "./session.ts";
import type { Member } from "./members.ts";

/** Far more than the members of a cluster open; what is beyond it is a fault of theirs. */
const MAX_SESSIONS = 16_384;
/** Answers that wait for a caller which is away. */
const LIMITS = { calls: 65_536, bytes: 64 * 1024 * 1024, unreadBytes: 32 * 1024 * 1024 };

/** Which commands others may call: all of them, or those of a list. */
export type Exports = ReadonlyMap<string, true | readonly string[]>;

export interface LocalModules {
  forward(call: ReceivedCall, context: RunningCall, target: string): Onward | Promise<unknown>;
  /** Settles when the module's process has answered a ping. */
  ping(module: string): Promise<void>;
}

export interface ExportedOptions {
  readonly post: Post;
  readonly exports: Exports;
  readonly modules: LocalModules;
  readonly reporter: Reporter;
  readonly ownFiles: readonly string[];
  readonly dropped: (member: Member, what: string) => void;
}

export class ExportedSessions {
  readonly #options: ExportedOptions;
  readonly #sessions = new Map<string, ExportedSession>();
  #isLeaving = false;
  #settleIdle: (() => void) | undefined;

  constructor(options: ExportedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(session: string): Endpoint | undefined {
    return this.#sessions.get(session);
  }

  [Symbol.iterator](): Iterator<Endpoint> {
    return this.#sessions.values();
  }

  get running(): number {
    let count = 0;
    for (const { running } of this.#sessions.values()) count += running;
    return count;
  }

  /** A member wants to call a module. The answer is a hello or a refusal, on the session that it names. */
  open(member: Member, { module, session }: { readonly module: string; readonly session: string }): void {
    const known = this.#sessions.get(session);
    // The answer to the first request was lost.
    if (known?.member === member && known.target === module) return known.greet();
    const reason = this.#whyNot(module, known !== undefined);
    if (reason !== null) return this.#refuse(member, session, reason);
    const opened = new ExportedSession({ ...this.#options, member, module, session, over: () => this.#over(session) });
    this.#sessions.set(session, opened);
    opened.greet();
  }

  /** No new sessions. Settles when the callers have ended theirs, which they do when each of their calls is answered. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    if (this.#sessions.size > 0) await new Promise<void>((resolve) => this.#settleIdle = resolve);
  }

  /** The member is gone: what it called is cancelled. */
  gone(member: Member): void {
    for (const session of [...this.#sessions.values()]) if (session.member === member) session.abort();
  }

  close(): void {
    for (const session of [...this.#sessions.values()]) session.close();
  }

  #over(session: string): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#settleIdle?.();
  }

  #whyNot(module: string, isTaken: boolean): string | null {
    if (this.#isLeaving) return "the broker stops";
    if (!this.#options.exports.has(module)) return `it exports no module "${module}"`;
    if (isTaken) return "the session belongs to another broker";
    return this.#sessions.size < MAX_SESSIONS ? null : `it has ${MAX_SESSIONS} sessions already`;
  }

  #refuse(member: Member, session: string, reason: string): void {
    const text = new TextEncoder().encode(objectText({ reason }));
    this.#options.post.to(member, session)(headOf({ kind: MessageKind.refusal, position: 0, received: 0 }, text));
  }
}

interface ExportedSessionOptions extends ExportedOptions {
  readonly member: Member;
  readonly module: string;
  readonly session: string;
  readonly over: () => void;
}

const NO_COMMANDS: ReadonlyMap<string, Handler> = new Map();

class ExportedSession implements Endpoint, Service {
  readonly member: Member;
  readonly target: string;
  readonly commands = NO_COMMANDS;
  readonly from: string;
  readonly #publish: (message: Uint8Array) => void;
  readonly #options: ExportedSessionOptions;
  readonly #channel: SessionChannel;
  readonly #link: Link;
  readonly #server: CallServer;

  constructor(options: ExportedSessionOptions) {
    const { post, member, module, session, reporter, ownFiles, over, dropped } = options;
    this.#options = options;
    this.member = member;
    this.target = module;
    this.from = post.subjectOf(member, session);
    this.#publish = post.to(member, session);
    this.#channel = new SessionChannel({
      clock: post.clock,
      isConnected: post.isConnected,
      publish: this.#publish,
      maxPayload: () => post.maxPayload,
      isWaiting: () => this.#server.running > 0,
      synced: () => {},
      over,
    });
    this.#link = new Link(this.#channel, post.clock, {
      frameLimit: DEFAULT_FRAME_LIMIT,
      leastWrite: LEAST_MESSAGE_BYTES,
      events: {
        frame: (type, flags, body) => this.#frame(type, flags, body),
        refused: (reason, excerpt) => dropped(member, `frame (${reason}: ${excerpt})`),
        drained: () => {},
        closed: () => this.#server.abort(),
      },
    });
    this.#link.negotiate(CODECS);
    this.#server = new CallServer(this.#link, {
      reporter,
      service: this,
      module,
      peer: member.broker,
      node: member.node,
      frameLimit: DEFAULT_FRAME_LIMIT,
      ownFiles,
      limits: LIMITS,
    });
    this.#server.open();
  }

  get running(): number {
    return this.#server.running;
  }

  greet(): void {
    const text = new TextEncoder().encode(objectText({ codecs: CODECS }));
    this.#publish(headOf({ kind: MessageKind.hello, position: 0, received: 0 }, text));
  }

  receive(head: Head, bytes: Uint8Array): void {
    this.#channel.receive(head, bytes);
  }

  connection(isConnected: boolean): void {
    this.#link.hold(!isConnected);
    this.#channel.connection(isConnected);
  }

  /** Ends when the caller has all answers. */
  close(): void {
    this.#link.close(null);
  }

  abort(): void {
    this.#link.abort(GONE);
    // A link that was closed waits for the peer's end.
    this.#channel.abort();
  }

  forward(call: ReceivedCall, context: RunningCall): Onward | Promise<unknown> {
    const { exports, modules, reporter } = this.#options;
    const [target, command] = [this.target, call.command];
    const commands = exports.get(target);
    if (commands === true || commands?.includes(command) === true) return modules.forward(call, context, target);
    reporter.report("command.unknown", { command }, { module: target });
    throw new UnknownCommandError({ target, command }, { nearest: null });
  }

  #frame(type: number, flags: number, body: Uint8Array): void {
    if (this.#server.receive(type, flags, body) || type !== FrameType.ping) return;
    this.#options.modules.ping(this.target).then(() => this.#link.pong(), (error) => {
      this.#options.dropped(this.member, `ping (${messageOf(error)})`);
    });
  }
}

const GONE = "the caller is gone";
