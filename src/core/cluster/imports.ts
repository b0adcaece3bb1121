/**
 * The caller's end: modules of other brokers that this one calls as if they were its own. A module has one queue of calls, which go to
 * the member that has the fewest of them; those of `M@NODE` have a queue of their own, so that no other node ever answers them. Both
 * attempts of a call go over one session: what was sent is never run elsewhere, and what was not may go to another member.
 */

import type { Runtime } from "../../runtime/runtime.ts";
import { type CallClient, newClient } from "../call/client.ts";
import { CallCounters } from "../call/outcomes.ts";
import { type BrokerFault, goneFault } from "../faults.ts";
import { attempt, isRecord, isText, listOf } from "../checks.ts";
import { CODECS, DEFAULT_FRAME_LIMIT, FrameType, readJson } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import { readCloseReason } from "../wire/messages.ts";
import type { Reporter } from "../log/reporter.ts";
import type { CallCounts, Latency } from "../wire/status.ts";
import { type Endpoint, type Head, LEAST_MESSAGE_BYTES, MessageKind, type Post, SessionChannel } from "./session.ts";
import type { Member } from "./members.ts";

/** A request to open a session, or its answer, may be lost: it is sent again. */
const OPEN_MS = 500;
/** The first calls wait so long for the answers of all members. */
const FIRST_MS = 100;
/** A member that has refused a session is asked again after this time. */
const REFUSED_MS = 5_000;
/** A session that has ended is opened anew after this time. */
const REOPEN_MS = 50;
/** From one look to the next whether the last calls to a member that leaves are answered. */
const IDLE_CHECK_MS = 20;

/** States of a module in which its calls are rejected at once, by the broker that has it. */
const REJECTING: readonly string[] = ["failed", "stopped"];

export interface ImportOptions {
  readonly post: Post;
  /** The name that calls have: `M` or `M@NODE`. */
  readonly target: string;
  readonly module: string;
  /** The only node that may answer; null for any. */
  readonly node: string | null;
  readonly host: { readonly runtime: Runtime; readonly reporter: Reporter };
  readonly members: () => Iterable<Member>;
  readonly sessions: Map<string, Endpoint>;
  /** A member does not let this broker call the module. */
  readonly refused: (member: Member, reason: string) => void;
  readonly dropped: (member: Member, what: string) => void;
  /** No session with the member is open any more, for this module. */
  readonly idle: (member: Member) => void;
}

export class ImportedModule {
  readonly caller: CallClient;
  readonly #options: ImportOptions;
  readonly #counters = new CallCounters();
  /** By the id of the member. */
  readonly #sessions = new Map<string, ImportedSession>();
  readonly #refusals = new Map<string, string>();
  readonly #clears = new Set<() => void>();
  /** Whether it was called: before, no session is opened. */
  #isWanted = false;
  /** Whether calls have gone to any member yet. */
  #hasBegun = false;
  #isBeginning = false;
  /** Whether any member ever had it: then calls wait for the next. */
  #wasSeen = false;
  /** Whether every member that has the module refuses it. */
  #isRefused = false;
  #isClosed = false;

  constructor(options: ImportOptions) {
    this.#options = options;
    const { host: { runtime, reporter }, module } = options;
    this.caller = newClient(runtime, { reporter, module, counters: this.#counters });
  }

  get target(): string {
    return this.#options.target;
  }

  get module(): string {
    return this.#options.module;
  }

  get wasSeen(): boolean {
    return this.#wasSeen;
  }

  isServedBy(member: Member): boolean {
    const { module, node } = this.#options;
    return (node === null || node === member.node) && member.exported(module) !== undefined;
  }

  /** Whether a session with the member is open or being opened. */
  has(member: Member): boolean {
    return this.#sessions.has(member.id);
  }

  counts(): { readonly calls: CallCounts; readonly latencyMs: Latency } {
    return { calls: this.#counters.counts(), latencyMs: this.#counters.latency() };
  }

  outTo(member: Member): number {
    return this.#sessions.get(member.id)?.waiting ?? 0;
  }

  want(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.update();
  }

  /** The members, or what they say of the module, have changed. */
  update(): void {
    if (this.#isClosed) return;
    const { isConnected, isMember } = this.#options.post;
    for (const member of this.#options.members()) {
      if (!this.isServedBy(member)) continue;
      this.#wasSeen = true;
      const opens = this.#isWanted && member.state === "ready" && !this.#refusals.has(member.id);
      if (opens && isConnected && isMember && !this.#sessions.has(member.id)) this.#open(member);
    }
    this.#admit();
    this.#refuseIfAllDo();
  }

  /** Calls that were sent to it are rejected; the others may go elsewhere. */
  gone(member: Member): void {
    this.#refusals.delete(member.id);
    this.#sessions.get(member.id)?.fail(`broker ${member.node} is gone`);
    this.update();
  }

  /** Every call is rejected with `fault`, those that wait too. The next ones wait again. */
  reject(fault: BrokerFault): void {
    this.caller.refuse(fault);
    this.caller.expect();
  }

  /** The server does not let this broker ask for a session. */
  denied(isSubject: (member: Member) => boolean, reason: string): void {
    for (const session of [...this.#sessions.values()]) if (isSubject(session.member)) session.refuse(reason);
  }

  /** Ends every session in good order, and rejects what waits. */
  close(fault: BrokerFault): void {
    this.#isClosed = true;
    for (const clear of this.#clears) clear();
    this.caller.refuse(fault);
    for (const session of [...this.#sessions.values()]) session.close(fault);
  }

  #open(member: Member): void {
    const session = new ImportedSession(member, {
      ...this.#options,
      client: this.caller,
      opened: () => this.update(),
      synced: () => this.#admit(),
      refused: (reason) => this.#refused(member, reason),
      over: () => {
        this.#sessions.delete(member.id);
        this.#options.idle(member);
        this.#again();
      },
    });
    this.#sessions.set(member.id, session);
    session.begin();
  }

  /** Lets calls go to the members whose module is ready; where none is, to one that rejects them at once, and says why. */
  #admit(): void {
    if (this.#isClosed) return;
    const { isMember } = this.#options.post;
    const open = [...this.#sessions.values()].filter(({ isUsable }) => isUsable && isMember);
    const stateAt = ({ member }: ImportedSession) => member.exported(this.module)?.state ?? "stopped";
    const ready = open.filter((session) => stateAt(session) === "ready");
    const isWaiting = open.some((session) => !REJECTING.includes(stateAt(session)));
    const takes = ready.length > 0 ? ready : isWaiting ? [] : open;
    if (!this.#hasBegun && takes.length > 0) {
      // The first calls are for all members, not only for the one whose answer is here first.
      if (this.#isOpening) return this.#beginLater();
      this.#hasBegun = true;
    }
    this.caller.admit(takes.flatMap(({ link }) => link ?? []));
    for (const session of this.#sessions.values()) session.endIfLeaving();
  }

  /** Whether the answer of a member is awaited that is there. */
  get #isOpening(): boolean {
    const now = this.#options.post.clock.now();
    return [...this.#sessions.values()].some((session) => session.isOpening && now - session.beganAt < FIRST_MS);
  }

  #beginLater(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    this.#later(FIRST_MS, () => {
      // Another member may have come meanwhile.
      this.#isBeginning = false;
      this.#admit();
    });
  }

  #refused(member: Member, reason: string): void {
    this.#refusals.set(member.id, reason);
    this.#options.refused(member, reason);
    this.#later(REFUSED_MS, () => {
      this.#refusals.delete(member.id);
      this.update();
    });
    this.update();
  }

  /** Where every member that has the module refuses, its calls learn why. */
  #refuseIfAllDo(): void {
    const refusals = [...this.#options.members()].filter((member) => this.isServedBy(member))
      .map((member) => ({ node: member.node, reason: this.#refusals.get(member.id) }));
    const [first] = refusals;
    const isRefused = first !== undefined && refusals.every(({ reason }) => reason !== undefined);
    if (isRefused) this.caller.refuse(goneFault(`broker ${first.node} can not be called: ${first.reason}`));
    else if (this.#isRefused) this.caller.expect();
    this.#isRefused = isRefused;
  }

  #again(): void {
    this.#later(REOPEN_MS, () => this.update());
  }

  #later(ms: number, fn: () => void): void {
    if (this.#isClosed) return;
    const clear = this.#options.post.clock.timer(ms, () => {
      this.#clears.delete(clear);
      fn();
    });
    this.#clears.add(clear);
  }
}

interface ImportedSessionOptions extends Pick<ImportOptions, "post" | "module" | "sessions" | "dropped"> {
  readonly client: CallClient;
  readonly opened: () => void;
  readonly synced: () => void;
  readonly refused: (reason: string) => void;
  readonly over: () => void;
}

class ImportedSession implements Endpoint {
  readonly member: Member;
  readonly #options: ImportedSessionOptions;
  readonly beganAt: number;
  readonly #id: string;
  readonly from: string;
  #channel: SessionChannel | undefined;
  #link: Link | undefined;
  /** Why the callee ends the session, by its own account. */
  #reason: string | null = null;
  #isOver = false;
  #clearOpen: (() => void) | undefined;
  #clearIdle: (() => void) | undefined;

  constructor(member: Member, options: ImportedSessionOptions) {
    this.member = member;
    this.#options = options;
    this.#id = options.post.newId();
    this.from = options.post.subjectOf(member, this.#id);
    this.beganAt = options.post.clock.now();
  }

  get waiting(): number {
    return this.#link === undefined ? 0 : this.#options.client.outOn(this.#link);
  }

  /** Whether the member has not answered yet. */
  get isOpening(): boolean {
    return this.#link === undefined && !this.#isOver && this.member.state === "ready";
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** Whether new calls may go over it. */
  get isUsable(): boolean {
    return this.#link !== undefined && this.#channel?.isSynced === true && this.member.state === "ready";
  }

  begin(): void {
    const { post, sessions, module } = this.#options;
    sessions.set(this.#id, this);
    if (post.isConnected) post.open(this.member, this.#id, module);
    this.#clearOpen = post.clock.timer(OPEN_MS, () => this.begin());
  }

  receive(head: Head, bytes: Uint8Array): void {
    if (this.#channel !== undefined) return this.#channel.receive(head, bytes);
    if (head.kind === MessageKind.hello) this.#greeted(bytes);
    else if (head.kind === MessageKind.refusal) this.refuse(reasonIn(bytes));
  }

  connection(isConnected: boolean): void {
    this.#link?.hold(!isConnected);
    this.#channel?.connection(isConnected);
  }

  /** The member stops: the session ends with the last call. */
  endIfLeaving(): void {
    if (this.member.state !== "leaving" || this.#isOver) return;
    this.#clearIdle ??= this.#options.post.clock.timer(0, () => this.#endWhenIdle());
  }

  refuse(reason: string): void {
    this.#end(reason);
    this.#options.refused(reason);
  }

  fail(reason: string): void {
    const link = this.#link;
    this.#end(reason);
    link?.abort(reason);
    // A link that was closed waits for the peer's end.
    this.#channel?.abort();
  }

  abort(): void {
    this.fail(`broker ${this.member.node} is gone`);
  }

  /** Ends when the callee has all that was sent. Calls without an answer are rejected with `fault`. */
  close(fault?: BrokerFault): void {
    const link = this.#link;
    if (link === undefined) return this.#end("");
    if (fault !== undefined) this.#options.client.disconnect(fault, link);
    link.close(null);
  }

  #greeted(bytes: Uint8Array): void {
    const { post, client, module, dropped } = this.#options;
    this.#clearOpen?.();
    const { member } = this;
    const channel = this.#channel = new SessionChannel({
      clock: post.clock,
      isConnected: post.isConnected,
      publish: post.to(member, this.#id),
      maxPayload: () => post.maxPayload,
      isWaiting: () => this.waiting > 0,
      synced: () => this.#options.synced(),
      over: () => this.#forget(),
    });
    const link = new Link(channel, post.clock, {
      frameLimit: DEFAULT_FRAME_LIMIT,
      leastWrite: LEAST_MESSAGE_BYTES,
      events: {
        frame: (type, flags, body) => {
          if (type === FrameType.answers) client.answers(flags, body, link);
          else if (type === FrameType.pong) client.pong(body, link);
          else if (type === FrameType.close) this.#reason ??= readCloseReason(body);
        },
        refused: (reason, excerpt) => dropped(member, `frame (${reason}: ${excerpt})`),
        drained: () => client.drained(),
        closed: (reason) => {
          const why = this.#reason ?? reason ?? `its session for "${module}" has ended`;
          this.#end(`broker ${member.node} ended the session: ${why}`);
        },
      },
    });
    const codecs = attempt(() => readJson(bytes));
    link.negotiate(isRecord(codecs) && isCodecs(codecs["codecs"]) ? codecs["codecs"] : []);
    if (link.codec !== "rich") {
      link.abort("");
      return this.refuse(`it offers none of the codecs ${CODECS.join(", ")} that this broker writes`);
    }
    this.#link = link;
    this.#options.opened();
  }

  #endWhenIdle(): void {
    this.#clearIdle = undefined;
    if (this.#isOver || this.member.state !== "leaving") return;
    if (this.waiting === 0) return this.close();
    this.#clearIdle = this.#options.post.clock.timer(IDLE_CHECK_MS, () => this.#endWhenIdle());
  }

  /** Calls that are in flight are rejected. */
  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#clearOpen?.();
    this.#clearIdle?.();
    const link = this.#link;
    this.#link = undefined;
    if (link !== undefined) this.#options.client.disconnect(goneFault(reason), link);
    if (this.#channel === undefined) this.#forget();
    this.#options.over();
  }

  #forget(): void {
    this.#options.sessions.delete(this.#id);
  }
}

const isCodecs = listOf(isText);

function reasonIn(bytes: Uint8Array): string {
  const refusal = attempt(() => readJson(bytes));
  return isRecord(refusal) && typeof refusal["reason"] === "string" ? refusal["reason"] : "it gave no reason";
}
