/**
 * A broker as a member of a cluster: it says what it has, learns what the others have, and calls it. The guarantees of a call are those
 * of the sessions: see `session.ts`. What happens in which case: docs/cluster.md.
 */

import type { Clock, Runtime } from "../../runtime/runtime.ts";
import type { CallClient } from "../call/client.ts";
import { closestMatch, isRecord } from "../checks.ts";
import { sleep, within } from "../duration.ts";
import { goneFault, UnknownModuleError } from "../faults.ts";
import type { EventFields, EventId } from "../log/events.ts";
import { LineLimit, type Reporter } from "../log/reporter.ts";
import { messageOf, objectText } from "../user_code.ts";
import { PROTOCOL_VERSION, readJson } from "../wire/frame.ts";
import type { CallCounts, Latency } from "../wire/status.ts";
import { VERSION } from "../version.ts";
import { type Endpoint, type Head, HEAD_BYTES, headOf, MessageKind, type Post, readHead } from "./session.ts";
import { ExportedSessions, type LocalModules } from "./exports.ts";
import { ImportedModule } from "./imports.ts";
import {
  BEAT_MS,
  CLUSTER_VERSION,
  type ExportedModule,
  isEarlier,
  type Member,
  Members,
  type MemberState,
  type Presence,
  readPresence,
} from "./members.ts";
import { isName } from "../settings/table.ts";
import type { ClusterPlan } from "./plan.ts";
import type { PubSub, PubSubMessage } from "./pub_sub.ts";
import { HERE, isId, Subjects } from "./subjects.ts";

/** The others' time to say that they are there, from when the server has passed the question on; and the time for that. */
const JOIN_MS = 200;
const ASK_MS = 2_000;
/** A broker whose name another one has asks again after this time. */
const TAKEN_MS = 5_000;
/** Changes within this time are said at once. */
const CHANGE_MS = 20;
/** The callers' time to get the last answers, when the broker stops. */
const LEAVE_MS = 10_000;
const LAST_MESSAGES_MS = 500;
/** Lines a second about messages that can't be read. */
const MAX_LINES = 20;

export interface ClusterHost extends LocalModules {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly broker: string;
  /** State and calls of a module that is exported; null where there is none of the name. */
  exported(module: string): ExportedModule | null;
}

/** State of a broker in its cluster; `joined` is a member. */
export type ClusterState = "connecting" | "joining" | "joined" | "taken" | "disconnected" | "left";

/** The cluster in `broker.status()`. */
export interface ClusterStatus {
  /** Name of the cluster. */
  readonly name: string;
  /** This broker's node. */
  readonly node: string;
  /** Whether the broker is a member, and if not, why. */
  readonly state: ClusterState;
  /** Address of the connected server, or null. */
  readonly server: string | null;
  /** Why there is no connection, or null. */
  readonly reason: string | null;
  /** How many times the connection was lost. */
  readonly disconnects: number;
  /** How many messages could not be read. */
  readonly dropped: number;
  /** How many calls of other brokers run here. */
  readonly running: number;
  /** The modules of this broker that others may call. */
  readonly exports: Readonly<Record<string, ExportedModule>>;
  /** The other brokers. */
  readonly members: readonly MemberStatus[];
  /** The modules of other brokers that this broker calls. */
  readonly imports: readonly ImportStatus[];
}

/** Another broker of the cluster. */
export interface MemberStatus {
  /** Its name. */
  readonly broker: string;
  /** The name of its machine. */
  readonly node: string;
  /** `ready`; `suspect`: it does not answer; `leaving`: it stops; `incompatible`: it has another protocol. */
  readonly state: MemberState;
  /** Process id on its machine. */
  readonly pid: number;
  /** Version of brokkr. */
  readonly version: string;
  /** Name and version, such as `node 20.20.2`. */
  readonly runtime: string;
  /** Milliseconds since its start. */
  readonly uptimeMs: number;
  /** Milliseconds since its last message. */
  readonly silentMs: number;
  /** The modules that other brokers may call. */
  readonly exports: Readonly<Record<string, ExportedModule>>;
}

/** A module of other brokers that this broker calls. */
export interface ImportStatus {
  /** The name in calls: `M` or `M@NODE`. */
  readonly name: string;
  /** Nodes on which it is ready. */
  readonly nodes: readonly string[];
  /** How many calls have no outcome yet. */
  readonly pending: number;
  /** Calls of this broker, by outcome. */
  readonly calls: CallCounts;
  /** How long the answered calls took. */
  readonly latencyMs: Latency;
}

export class Cluster {
  readonly #plan: ClusterPlan;
  readonly #host: ClusterHost;
  readonly #clock: Clock;
  readonly #subjects: Subjects;
  readonly #self: Pick<Presence, "broker" | "node" | "id" | "startedAt">;
  readonly #members: Members;
  readonly #exports: ExportedSessions;
  readonly #imports = new Map<string, ImportedModule>();
  /** Sessions that this broker has opened, by their ids. */
  readonly #opened = new Map<string, Endpoint>();
  readonly #post: Post;
  readonly #lines: LineLimit;
  #pubSub: PubSub | undefined;
  #state: ClusterState = "connecting";
  #server: string | null = null;
  #reason: string | null = null;
  /** Those that lines have named since there was a connection. */
  readonly #reasons = new Set<string>();
  #lostAt = 0;
  #disconnects = 0;
  #droppedCount = 0;
  /** The server's limit when a message was too large for it. */
  #reportedLimit = 0;
  /** When it became a member; null before. */
  #joinedAt: number | null = null;
  #holder: Presence | null = null;
  #clearJoin: (() => void) | undefined;
  /** The server has passed this broker's own question on. */
  #asked: () => void = () => {};
  #clearBeat: (() => void) | undefined;
  #clearChange: (() => void) | undefined;
  #clearUnknown: (() => void) | undefined;
  #settleTried: () => void = () => {};
  #hurry: () => void = () => {};
  readonly #hurried = new Promise<void>((resolve) => this.#hurry = resolve);
  readonly #tried = new Promise<void>((resolve) => this.#settleTried = resolve);

  constructor(plan: ClusterPlan, host: ClusterHost) {
    this.#plan = plan;
    this.#host = host;
    const { clock, ownFiles } = host.runtime;
    this.#clock = clock;
    this.#subjects = new Subjects(plan.name);
    this.#self = { broker: host.broker, node: plan.node, id: host.runtime.newId(), startedAt: clock.wall() };
    this.#members = new Members({
      clock,
      lostAfterMs: plan.lostAfterMs,
      // What the receiver calls it: its answer names this broker's name for it.
      probe: (member) => this.#publish(this.#post.subjectOf(member, this.#self.id), PROBE, member.id),
      changed: (member, from) => this.#changed(member, from),
    });
    this.#lines = new LineLimit(clock, MAX_LINES, (count) => {
      this.#report("cluster.dropped", { what: `other messages (limit: ${MAX_LINES} lines a second)`, count });
    });
    this.#post = this.#newPost();
    const dropped = (member: Member, what: string) => this.#dropped(`${what} of ${nameOf(member)}`);
    this.#exports = new ExportedSessions({
      post: this.#post,
      exports: plan.exports,
      modules: host,
      reporter: host.reporter,
      ownFiles,
      dropped,
    });
    for (const module of plan.imports) this.#import(module, null);
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** Begins to connect. Settles when the broker is a member, or when the first try has failed; another one follows then. */
  async start(): Promise<void> {
    const pubSub = this.#pubSub = this.#plan.connect({
      connected: (server) => this.#connected(server),
      disconnected: (reason) => this.#disconnected(reason),
      failed: (reason) => this.#failed(reason),
      denied: (action, subject) => this.#denied(action, subject),
    });
    const { broker, id } = this.#self;
    const subjects = this.#subjects;
    const listen = (subject: string, listener: (message: PubSubMessage) => void) => {
      pubSub.subscribe(subject, (message) => {
        try {
          listener(message);
        } catch (error) {
          // The client would end its connection over it.
          this.#clock.throwUncaught(error);
        }
      });
    };
    listen(subjects.session(broker, id), (message) => this.#session(message));
    listen(subjects.hi(), (message) => this.#announced(message));
    listen(subjects.here(id), (message) => this.#announced(message));
    listen(subjects.who, ({ reply }) => this.#answer(reply));
    for (const module of this.#plan.exports.keys()) {
      listen(subjects.open(module, id), (message) => this.#open(message));
    }
    await this.#tried;
  }

  /**
   * Where the calls to a target go: to a module of others, or to one of this broker, which may name its own node. They wait where it is
   * not known yet whether anyone has it.
   *
   * @throws {UnknownModuleError} where nobody has it.
   */
  route(target: string, command: string): { readonly caller: CallClient } | { readonly local: string } {
    const { module, node } = partsOf(target);
    if (node === this.#plan.node && !this.#plan.imports.includes(module)) return { local: module };
    const imported = this.#imports.get(target) ?? this.#pinned(target);
    if (imported === undefined || (!imported.wasSeen && this.#isKnown)) {
      throw new UnknownModuleError({ target, command }, { nearest: closestMatch(target, this.#targets()) });
    }
    imported.want();
    return { caller: imported.caller };
  }

  changed(): void {
    if (this.#joinedAt === null) return;
    this.#clearChange ??= this.#clock.timer(CHANGE_MS, () => {
      this.#clearChange = undefined;
      this.#announce();
    });
  }

  status(): ClusterStatus {
    const now = this.#clock.now();
    return {
      name: this.#plan.name,
      node: this.#plan.node,
      state: this.#state,
      server: this.#server,
      reason: this.#reason,
      disconnects: this.#disconnects,
      dropped: this.#droppedCount,
      running: this.#exports.running,
      exports: this.#exported(),
      members: [...this.#members].map((member) => {
        const { broker, node, pid, version, runtime, exports } = member.presence;
        return {
          broker,
          node,
          state: member.state,
          pid,
          version,
          runtime,
          uptimeMs: Math.round(member.uptimeMs(now)),
          silentMs: Math.round(now - member.heardAt),
          exports,
        };
      }),
      imports: [...this.#imports.values()].map((imported) => ({
        name: imported.target,
        nodes: [...this.#members].filter((member) => member.state === "ready" && imported.isServedBy(member))
          .map(({ node }) => node),
        pending: imported.caller.pending,
        ...imported.counts(),
      })),
    };
  }

  /** The broker stops: no new calls come, and those that others have made are answered before this settles. */
  async leave(): Promise<void> {
    if (this.#state === "left") return;
    const wasMember = this.#joinedAt !== null;
    this.#become("left");
    this.#endBeat();
    // A start that waits for this broker to join ends, too.
    this.#settleTried();
    if (!wasMember || !this.#post.isConnected) return;
    this.#announce();
    const left = Promise.race([this.#exports.leave(), this.#hurried]);
    await within(this.#clock, LEAVE_MS, left, "").catch(() => {});
  }

  hurry(): void {
    this.#hurry();
  }

  /** Ends every session and the connection; calls that wait are rejected. */
  async close(): Promise<void> {
    this.#become("left");
    this.#endBeat();
    this.#clearUnknown?.();
    this.#members.close();
    for (const imported of this.#imports.values()) imported.close(goneFault("the broker has stopped"));
    this.#exports.close();
    await this.#lastMessages();
    for (const endpoint of this.#endpoints()) endpoint.abort();
    this.#lines.end();
    await this.#pubSub?.close();
  }

  /** Settles when the peers have ended the sessions too, or do not answer. */
  async #lastMessages(): Promise<void> {
    const until = this.#clock.now() + LAST_MESSAGES_MS;
    while (this.#post.isConnected && this.#opened.size + this.#exports.size > 0 && this.#clock.now() < until) {
      await sleep(this.#clock, 1);
    }
  }

  #newPost(): Post {
    const isConnected = () => this.#pubSub?.state === "connected" && this.#server !== null;
    const isMember = () => this.#joinedAt !== null;
    const maxPayload = () => this.#pubSub?.maxPayload ?? 0;
    const { broker, id } = this.#self;
    return {
      clock: this.#clock,
      newId: () => this.#host.runtime.newId(),
      get isConnected() {
        return isConnected();
      },
      get isMember() {
        return isMember();
      },
      get maxPayload() {
        return maxPayload();
      },
      to: (member, session) => {
        // Made once: both are of every message.
        const [subject, reply] = [this.#post.subjectOf(member, session), this.#subjects.session(broker, id, session)];
        return (message) => this.#send(subject, message, reply);
      },
      subjectOf: (member, session) => this.#subjects.session(member.broker, member.id, session),
      open: (member, session, module) => {
        const { node, startedAt } = this.#self;
        const hello = { ...VERSIONS, node, startedAt, session };
        const subject = this.#subjects.open(module, member.id, broker);
        this.#publish(subject, new TextEncoder().encode(objectText(hello)), session);
      },
    };
  }

  /** Where nobody hears it, that comes back to `session`. Without a connection nothing is published: the client would lose it. */
  #publish(subject: string, bytes: Uint8Array, session?: string): void {
    const { broker, id } = this.#self;
    this.#send(subject, bytes, session === undefined ? undefined : this.#subjects.session(broker, id, session));
  }

  #send(subject: string, bytes: Uint8Array, reply?: string): void {
    if (!this.#post.isConnected) return;
    const limit = this.#post.maxPayload;
    if (bytes.length <= limit) return this.#pubSub?.publish(subject, bytes, reply);
    if (limit !== this.#reportedLimit) this.#report("cluster.too-large", { bytes: bytes.length, limit });
    this.#reportedLimit = limit;
  }

  #connected(server: string): void {
    const ms = this.#clock.now() - this.#lostAt;
    const isBack = this.#state === "disconnected";
    this.#server = server;
    this.#reason = null;
    this.#reasons.clear();
    this.#members.connection(true);
    if (isBack) this.#report("cluster.reconnected", { server, ms });
    for (const endpoint of this.#endpoints()) endpoint.connection(true);
    this.#join();
    for (const imported of this.#imports.values()) imported.update();
  }

  #disconnected(reason: string): void {
    if (this.#server === null) return;
    const server = this.#server;
    this.#server = null;
    this.#reason = reason;
    this.#lostAt = this.#clock.now();
    this.#disconnects++;
    this.#clearJoin?.();
    this.#members.connection(false);
    for (const endpoint of this.#endpoints()) endpoint.connection(false);
    for (const imported of this.#imports.values()) imported.update();
    if (this.#state === "left") return;
    this.#become("disconnected");
    this.#settleTried();
    this.#report("cluster.disconnected", { server, reason });
  }

  #failed(reason: string): void {
    this.#settleTried();
    if (this.#state === "left") return;
    this.#reason = reason;
    // Of several servers each may have another one.
    if (this.#reasons.has(reason) || this.#reasons.size >= MAX_LINES) return;
    this.#reasons.add(reason);
    this.#report("cluster.unreachable", { cluster: this.#plan.name, reason });
  }

  #denied(action: "publish" | "subscribe", subject: string): void {
    const reason = `the server does not permit this broker to ${action} to "${subject}"`;
    this.#report("cluster.denied", { action, subject });
    if (action === "subscribe") return;
    for (const imported of this.#imports.values()) {
      imported.denied(({ id }) => subject === this.#subjects.open(imported.module, id, this.#self.broker), reason);
      imported.denied(({ id, broker }) => subject.startsWith(this.#subjects.session(broker, id, "")), reason);
    }
  }

  /** Asks who is there, and becomes a member where nobody else has the name. */
  #join(): void {
    if (this.#state === "left") return;
    this.#holder = null;
    if (this.#joinedAt === null) this.#become("joining");
    else this.#joinAgain();
    this.#ask(() => {
      if (this.#holder !== null) return this.#taken(this.#holder);
      if (this.#joinedAt !== null) return;
      this.#joinedAt = this.#clock.now();
      this.#joinAgain();
      const { name, node } = this.#plan;
      this.#report("cluster.joined", { cluster: name, node, server: this.#server ?? "", members: this.#members.size });
      for (const imported of this.#imports.values()) imported.update();
      this.#clearUnknown = this.#clock.timer(this.#plan.lostAfterMs, () => this.#refuseUnknown());
      this.#settleTried();
    });
  }

  #joinAgain(): void {
    this.#become("joined");
    this.#announce();
    this.#beat();
  }

  /** Asks who is there; then come the answers, and `done`. */
  #ask(done: () => void): void {
    this.#clearJoin?.();
    this.#clearJoin = this.#clock.timer(ASK_MS, done);
    // This broker hears its own question, too.
    this.#asked = () => {
      this.#asked = () => {};
      this.#clearJoin?.();
      this.#clearJoin = this.#clock.timer(JOIN_MS, done);
    };
    this.#publish(this.#subjects.who, NO_BYTES, HERE);
  }

  /** Another broker has the name, and began before this one. */
  #taken(holder: Presence): void {
    const wasMember = this.#joinedAt !== null;
    if (this.#state !== "taken") {
      const { broker, node, pid } = holder;
      this.#report("cluster.taken", { broker, node, otherPid: pid });
    }
    this.#become("taken");
    this.#endBeat();
    this.#clearUnknown?.();
    this.#joinedAt = null;
    if (wasMember) {
      this.#announce();
      for (const imported of this.#imports.values()) imported.update();
    }
    this.#settleTried();
    this.#clearJoin?.();
    this.#clearJoin = this.#clock.timer(TAKEN_MS, () => {
      const state = this.#state;
      if (state !== "taken" || !this.#post.isConnected) return;
      this.#holder = null;
      this.#ask(() => this.#holder === null ? this.#join() : this.#taken(this.#holder));
    });
  }

  #beat(): void {
    this.#clearBeat?.();
    this.#clearBeat = this.#clock.timer(BEAT_MS, () => {
      this.#announce();
      this.#beat();
    });
  }

  #endBeat(): void {
    this.#clearJoin?.();
    this.#clearBeat?.();
    this.#clearChange?.();
    this.#clearChange = undefined;
  }

  #announce(): void {
    const { broker, node } = this.#self;
    this.#publish(this.#subjects.hi(broker, node), this.#presence());
  }

  /** A broker that has come asks who is there. */
  #answer(reply: string): void {
    const [, id] = this.#subjects.parts(reply);
    if (id === undefined || !isId(id)) return this.#dropped("question who is there (nobody asks)");
    if (id === this.#self.id) return this.#asked();
    if (this.#joinedAt === null || this.#state !== "joined") return;
    const { broker, node } = this.#self;
    this.#publish(this.#subjects.here(id, broker, node), this.#presence());
  }

  #presence(): Uint8Array {
    const { pid, name, version } = this.#host.runtime;
    const isMember = this.#state === "joined" || this.#state === "disconnected";
    const presence: Presence = {
      ...VERSIONS,
      ...this.#self,
      pid,
      runtime: `${name} ${version}`,
      exports: this.#exported(),
      at: this.#clock.wall(),
      ...(isMember ? {} : { bye: true }),
    };
    const bytes = new TextEncoder().encode(objectText(presence));
    if (bytes.length <= this.#post.maxPayload) return bytes;
    // Nobody needs the names of the commands for a call.
    const exports = Object.entries(presence.exports).map(([module, it]) => [module, { ...it, commands: null }]);
    return new TextEncoder().encode(objectText({ ...presence, exports: Object.fromEntries(exports) }));
  }

  #exported(): Presence["exports"] {
    return Object.fromEntries([...this.#plan.exports].flatMap(([module, commands]) => {
      const exported = this.#host.exported(module);
      return exported === null ? [] : [[module, commands === true ? exported : { ...exported, commands }]];
    }));
  }

  /** Its sender is what the subject ends with, by the server's permissions. */
  #announced({ subject, bytes }: PubSubMessage): void {
    const [sender = "", at = ""] = this.#subjects.parts(subject).slice(-2);
    const name = { broker: sender, node: at };
    let presence: Presence;
    try {
      presence = readPresence(bytes, name);
    } catch (error) {
      return this.#dropped(`presence of ${nameOf(name)} (${messageOf(error)})`);
    }
    // All of them become part of subjects.
    if (!isName(name.broker) || !isName(name.node) || !isId(presence.id)) {
      return this.#dropped(`presence of ${nameOf(name)} (no name or id)`);
    }
    if (presence.id === this.#self.id) return;
    const { broker, node } = this.#self;
    if (name.broker !== broker || name.node !== node) return this.#members.announced(presence);
    // Of two members the one that began first has it. Whoever is none yet yields: clocks of two processes may differ.
    if (presence.bye === true || (this.#joinedAt !== null && !isEarlier(presence, this.#self))) return;
    this.#holder = presence;
    if (this.#state === "joined") this.#taken(presence);
  }

  #changed(member: Member, from: MemberState | null): void {
    const { state, broker, node, presence } = member;
    if (from !== state) this.#reportMember(member, from);
    if (state === "gone") {
      this.#exports.gone(member);
      for (const imported of this.#imports.values()) imported.gone(member);
      return;
    }
    for (const imported of this.#imports.values()) {
      if (imported.isServedBy(member) || imported.has(member)) imported.update();
    }
    if (state === "leaving") this.#leftIfIdle(member);
    if (from === null && state === "incompatible") {
      const { protocol, version, v } = presence;
      const [theirs, ours] = [
        `${v}.${protocol} (brokkr ${version})`,
        `${CLUSTER_VERSION}.${PROTOCOL_VERSION} (brokkr ${VERSION})`,
      ];
      this.#report("cluster.incompatible", { member: nameOf({ broker, node }), theirs, ours });
    }
  }

  #reportMember(member: Member, from: MemberState | null): void {
    const name = nameOf(member);
    const { state, presence, unheardSince, suspectSince, isSuperseded } = member;
    if (from === null && state === "ready") {
      const modules = Object.keys(presence.exports).join(", ") || "nothing";
      this.#report("cluster.member-joined", { member: name, modules });
    } else if (state === "suspect") {
      const reason = isSuperseded
        ? "a new process has its name"
        : unheardSince === null
        ? "it says nothing"
        : "the server has no connection to it";
      this.#report("cluster.member-suspect", { member: name, reason });
    } else if (from === "suspect" && state === "ready") {
      this.#report("cluster.member-back", { member: name, ms: this.#clock.now() - suspectSince });
    } else if (state === "leaving") this.#report("cluster.member-leaving", { member: name });
    else if (state === "gone" && from !== "leaving") {
      let calls = 0;
      for (const imported of this.#imports.values()) calls += imported.outTo(member);
      this.#report("cluster.member-gone", { member: name, calls });
    }
  }

  #leftIfIdle(member: Member): void {
    const isOpen = [...this.#imports.values()].some((imported) => imported.has(member)) ||
      [...this.#exports].some((session) => session.member === member);
    if (!isOpen) this.#members.left(member);
  }

  /** A broker wants to call a module of this one. */
  #open({ subject, reply, bytes }: PubSubMessage): void {
    const [module = "", , broker = ""] = this.#subjects.parts(subject);
    // Who calls is in the subject, by the server's permissions; the answer goes to that broker only.
    const [caller, id = "", session = ""] = this.#subjects.parts(reply);
    if (caller !== broker || !isName(broker) || !isId(id) || !isId(session)) {
      return this.#dropped(`request of broker ${broker} (no session)`);
    }
    let hello: unknown;
    try {
      hello = readJson(bytes);
    } catch (error) {
      return this.#dropped(`request of broker ${broker} (${messageOf(error)})`);
    }
    const member = this.#members.get(id) ?? this.#stranger(hello, { broker, id });
    if (member === null || member.broker !== broker) return this.#dropped(`request of broker ${broker} (no hello)`);
    this.#members.heard(member);
    if (member.state === "incompatible") return;
    this.#exports.open(member, { module, session });
  }

  /** A caller that has not been heard of yet: its own presence is on its way. */
  #stranger(hello: unknown, { broker, id }: { readonly broker: string; readonly id: string }): Member | null {
    if (!isRecord(hello)) return null;
    const bytes = new TextEncoder().encode(objectText({ ...hello, id, exports: {} }));
    const { node } = hello;
    if (!isName(node)) return null;
    return this.#members.add(readPresence(bytes, { broker, node }));
  }

  #session(message: PubSubMessage): void {
    const { bytes } = message;
    const head = readHead(bytes);
    if (head === null && message.isUnheard) return this.#unheard(message);
    const { reply } = message;
    if (head === null || reply === "") return this.#dropped("message of a session (it has no head)");
    // The two subjects of a session end with its id, which nobody else knows.
    const endpoint = this.#endpoint(lastTokenOf(reply));
    if (endpoint?.from === reply) {
      this.#members.heard(endpoint.member);
      return endpoint.receive(head, bytes.subarray(HEAD_BYTES));
    }
    this.#unknown(reply, head, lastTokenOf(message.subject));
  }

  #endpoint(session: string): Endpoint | undefined {
    return this.#opened.get(session) ?? this.#exports.get(session);
  }

  /** The server had nobody for what was sent with this session's subject, or with the name that a member has. */
  #unheard({ subject }: PubSubMessage): void {
    const session = lastTokenOf(subject);
    const member = this.#endpoint(session)?.member ?? this.#members.get(session);
    if (member !== undefined) this.#members.unheard(member);
  }

  /** A message to `session` whose sender has no session here. */
  #unknown(reply: string, head: Head, session: string): void {
    const [broker = "", id = "", back = ""] = this.#subjects.parts(reply);
    if (!isId(id) || !isId(back)) return this.#dropped("message of a session (nobody sent it)");
    const sender = this.#members.get(id);
    if (sender !== undefined) this.#members.heard(sender);
    if (head.kind === MessageKind.reset) return;
    // The sender asks whether this broker is there, or for a session that is no more.
    const subjectBack = this.#subjects.session(broker, id, back);
    this.#publish(subjectBack, RESET, session);
  }

  #endpoints(): Endpoint[] {
    return [...this.#opened.values(), ...this.#exports];
  }

  #import(module: string, node: string | null): ImportedModule {
    const target = node === null ? module : `${module}@${node}`;
    const imported = new ImportedModule({
      post: this.#post,
      target,
      module,
      node,
      host: this.#host,
      members: () => this.#members,
      sessions: this.#opened,
      refused: (member, reason) => this.#report("cluster.refused", { target: module, member: nameOf(member), reason }),
      dropped: (member, what) => this.#dropped(`${what} of ${nameOf(member)}`),
      idle: (member) => {
        if (member.state === "leaving") this.#leftIfIdle(member);
      },
    });
    this.#imports.set(target, imported);
    return imported;
  }

  /** One node's, which is a queue of its own. Undefined where it is known that there is no such node. */
  #pinned(target: string): ImportedModule | undefined {
    const { module, node } = partsOf(target);
    if (node === null || !this.#plan.imports.includes(module)) return undefined;
    const hasNode = [...this.#members].some((member) => member.node === node && member.exported(module) !== undefined);
    if (!hasNode && this.#isKnown) return undefined;
    const imported = this.#import(module, node);
    imported.update();
    return imported;
  }

  /** Whether the others had the time to say what they have. */
  get #isKnown(): boolean {
    return this.#joinedAt !== null && this.#clock.now() - this.#joinedAt >= this.#plan.lostAfterMs;
  }

  #refuseUnknown(): void {
    for (const imported of this.#imports.values()) {
      if (!imported.wasSeen) {
        imported.reject({ code: "UNKNOWN_MODULE", nearest: closestMatch(imported.target, this.#targets()) });
      }
    }
  }

  *#targets(): Iterable<string> {
    for (const member of this.#members) {
      for (const module of Object.keys(member.presence.exports)) {
        if (!this.#plan.imports.includes(module)) continue;
        yield module;
        yield `${module}@${member.node}`;
      }
    }
  }

  #become(state: ClusterState): void {
    this.#state = this.#state === "left" ? "left" : state;
  }

  #dropped(what: string): void {
    this.#droppedCount++;
    if (this.#lines.take()) this.#report("cluster.dropped", { what, count: 1 });
  }

  #report<Id extends EventId>(event: Id, fields: EventFields[Id]): void {
    this.#host.reporter.report(event, fields, { module: this.#host.broker });
  }
}

const VERSIONS = { v: CLUSTER_VERSION, version: VERSION, protocol: PROTOCOL_VERSION };
const NO_BYTES = new Uint8Array(0);
const PROBE = headOf({ kind: MessageKind.probe, position: 0, received: 0 });
const RESET = headOf({ kind: MessageKind.reset, position: 0, received: 0 });

function lastTokenOf(subject: string): string {
  return subject.slice(subject.lastIndexOf(".") + 1);
}

/** `M` or `M@NODE`: a name has no "@". */
export function partsOf(target: string): { readonly module: string; readonly node: string | null } {
  const at = target.indexOf("@");
  return at === -1 ? { module: target, node: null } : { module: target.slice(0, at), node: target.slice(at + 1) };
}

/** As lines name a member: one broker may run on several nodes. */
function nameOf({ broker, node }: { readonly broker: string; readonly node: string }): string {
  return `${broker}@${node}`;
}
