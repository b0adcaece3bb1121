/**
 * The brokers of a cluster: what each says of itself, and whether it is there.
 *
 *     ready ⇄ suspect ──▶ gone          suspect: the server has nobody for its messages, or it says nothing
 *       └───▶ leaving ──▶ gone          leaving: it said so, and answers the calls that it has
 *
 * A member is never gone by silence alone: a process that stands still goes on later. It is gone when the server has had nobody for
 * its messages for a time, or at once where a new process has its name.
 */

import type { Clock } from "../../runtime/runtime.ts";
import {
  FieldSet,
  type FieldsOf,
  isBoolean,
  isNumber,
  isRecord,
  isText,
  listOf,
  objectOf,
  optional,
  orNull,
} from "../checks.ts";
import { PROTOCOL_VERSION, readJson } from "../wire/frame.ts";
import { isProcessState, type ProcessState } from "../wire/status.ts";

/** Version of the subjects and of the messages in them. */
export const CLUSTER_VERSION = 1;

export const BEAT_MS = 1_000;
/** A member that has said nothing for so long is asked, and is suspect when it does not answer either. */
const QUIET_MS = 2_000;
const SILENT_MS = 3_000;
/** Where the look at the members is so late, this process stood still, and has not read yet what came meanwhile. */
const LATE_MS = 500;
/** How often a suspect is asked whether it is there, where the server has nobody for it, and where it only says nothing. */
const PROBE_MS = 50;
const SILENT_PROBE_MS = 250;
/** The server had nobody for the last message, and somebody since. */
const HEARD_BY_SERVER_MS = 500;
/** Far more than one process can serve. */
const MAX_EXPORTS = 10_000;

/** A module that other brokers may call. */
export interface ExportedModule {
  /** State of its process. */
  readonly state: ProcessState;
  /** How many calls have no outcome yet; another broker reports them each second. */
  readonly pending: number;
  /** The commands that others may call; null if the broker does not know them yet. */
  readonly commands: readonly string[] | null;
}

const isExported = objectOf<ExportedModule>({
  state: isProcessState,
  pending: isNumber,
  commands: orNull(listOf(isText, MAX_EXPORTS)),
});

function isExports(value: unknown): value is Readonly<Record<string, ExportedModule>> {
  return isRecord(value) && Object.keys(value).length <= MAX_EXPORTS && Object.values(value).every(isExported);
}

const PRESENCE = {
  /** {@linkcode CLUSTER_VERSION} and {@linkcode PROTOCOL_VERSION} of that broker, and of brokkr. */
  v: [isNumber, 0],
  protocol: [isNumber, 0],
  version: [isText, ""],
  broker: [isText, ""],
  node: [isText, ""],
  /** Of this life of the broker. */
  id: [isText, ""],
  /** Milliseconds since the epoch. */
  startedAt: [isNumber, 0],
  pid: [isNumber, 0],
  runtime: [isText, ""],
  exports: [isExports, {}],
  /** When this was said, as `startedAt`. */
  at: [isNumber, 0],
  /** It stops: no new calls, please. */
  bye: optional(isBoolean),
} as const;

/** What a broker says of itself. */
export type Presence = FieldsOf<typeof PRESENCE>;

const presenceFields = new FieldSet<Presence>(PRESENCE);

/** @throws {BodyError} where the message is no JSON. */
export function readPresence(bytes: Uint8Array, { broker, node }: { broker: string; node: string }): Presence {
  // The server lets nobody else publish under these names, so they count.
  return { ...presenceFields.read(readJson(bytes)), broker, node };
}

/** Of two members with one name the one that began first has it. */
export function isEarlier(
  one: Pick<Presence, "startedAt" | "id">,
  other: Pick<Presence, "startedAt" | "id">,
): boolean {
  return one.startedAt < other.startedAt || (one.startedAt === other.startedAt && one.id < other.id);
}

/** State of a member of the cluster. */
export type MemberState = "ready" | "suspect" | "leaving" | "gone" | "incompatible";

/** One life of a broker. */
export class Member {
  presence: Presence;
  state: MemberState;
  /** When its presence came, on the clock. */
  saidAt: number;
  /** When something last came from it. */
  heardAt: number;
  /** Since when the server has nobody for its messages; null where it has. */
  unheardSince: number | null = null;
  unheardAt = 0;
  probedAt = 0;
  suspectSince = 0;
  /** A new process has its name. */
  isSuperseded = false;

  constructor(presence: Presence, now: number) {
    this.presence = presence;
    this.saidAt = now;
    this.heardAt = now;
    this.state = isCompatibleWith(presence) ? "ready" : "incompatible";
  }

  get id(): string {
    return this.presence.id;
  }

  get broker(): string {
    return this.presence.broker;
  }

  get node(): string {
    return this.presence.node;
  }

  /** By its own clock until its last presence, and by this one's since. */
  uptimeMs(now: number): number {
    const { at, startedAt } = this.presence;
    return Math.max(0, at - startedAt) + now - this.saidAt;
  }

  /** What it says of a module that it lets others call. */
  exported(module: string): ExportedModule | undefined {
    const { exports } = this.presence;
    const isThere = this.state !== "gone" && this.state !== "incompatible" && Object.hasOwn(exports, module);
    return isThere ? exports[module] : undefined;
  }
}

export function isCompatibleWith({ v, protocol }: Presence): boolean {
  return v === CLUSTER_VERSION && protocol === PROTOCOL_VERSION;
}

export interface MembersOptions {
  readonly clock: Clock;
  /** How long the server may have nobody for a member. */
  readonly lostAfterMs: number;
  readonly probe: (member: Member) => void;
  /** It came, has another state, or says something else of its modules. */
  readonly changed: (member: Member, from: MemberState | null) => void;
}

export class Members {
  readonly #options: MembersOptions;
  readonly #byId = new Map<string, Member>();
  #isConnected = false;
  #clear: (() => void) | undefined;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Member | undefined {
    return this.#byId.get(id);
  }

  announced(presence: Presence): void {
    const known = this.#byId.get(presence.id);
    if (known === undefined) {
      if (presence.bye !== true) this.add(presence);
      return;
    }
    if (presence.bye === true) return this.#become(known, "leaving");
    const [{ state }, { exports: before }] = [known, known.presence];
    known.presence = presence;
    known.saidAt = this.#now;
    this.heard(known);
    // It could not stay under its name, and can now.
    if (state === "leaving") this.#become(known, "ready");
    if (state === known.state && !areAlike(before, presence.exports)) this.#options.changed(known, state);
  }

  add(presence: Presence): Member {
    const member = new Member(presence, this.#now);
    for (const other of this.#byId.values()) {
      if (other.broker !== member.broker || other.node !== member.node) continue;
      other.isSuperseded = true;
      if (other.state === "ready") this.#suspect(other);
      else other.suspectSince = this.#now;
      this.#options.probe(other);
    }
    this.#byId.set(presence.id, member);
    this.#options.changed(member, null);
    this.#watch();
    return member;
  }

  heard(member: Member): void {
    member.heardAt = this.#now;
    member.unheardSince = null;
    // What a process sent that has ended since may still arrive.
    if (member.isSuperseded && this.#now - member.suspectSince < BEAT_MS) return;
    member.isSuperseded = false;
    if (member.state === "suspect") this.#become(member, "ready");
  }

  unheard(member: Member): void {
    const now = this.#now;
    member.unheardAt = now;
    member.unheardSince ??= now;
    const isLost = member.isSuperseded || now - member.unheardSince >= this.#options.lostAfterMs;
    if (isLost) return this.#remove(member);
    if (member.state === "ready") this.#suspect(member);
    this.#watch();
  }

  /** It has left, and nothing is open with it any more. */
  left(member: Member): void {
    if (member.state === "leaving") this.#remove(member);
  }

  connection(isConnected: boolean): void {
    this.#isConnected = isConnected;
    for (const member of this.#byId.values()) {
      // Only the time with a connection counts.
      member.heardAt = this.#now;
      member.unheardSince = null;
    }
    if (isConnected) this.#watch();
    else this.close();
  }

  close(): void {
    this.#clear?.();
    this.#clear = undefined;
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  #suspect(member: Member): void {
    member.suspectSince = this.#now;
    this.#become(member, "suspect");
  }

  #remove(member: Member): void {
    this.#byId.delete(member.id);
    this.#become(member, "gone");
  }

  #become(member: Member, state: MemberState): void {
    const from = member.state;
    if (from === state) return;
    member.state = state;
    this.#options.changed(member, from);
  }

  /** Looks after all of them as long as there are some, and in short steps while one is in doubt. */
  #watch(): void {
    if (this.#clear !== undefined || !this.#isConnected || this.#byId.size === 0) return;
    const isInDoubt = [...this.#byId.values()].some((member) => isDoubtful(member));
    const ms = isInDoubt ? PROBE_MS : SILENT_PROBE_MS;
    const due = this.#now + ms;
    this.#clear = this.#options.clock.timer(ms, () => {
      this.#clear = undefined;
      if (this.#now - due >= LATE_MS) { for (const member of this.#byId.values()) member.heardAt = this.#now; }
      for (const member of [...this.#byId.values()]) this.#look(member);
      this.#watch();
    });
  }

  #look(member: Member): void {
    const now = this.#now;
    if (member.state === "ready" && now - member.heardAt >= SILENT_MS) this.#suspect(member);
    if (!isDoubtful(member) && now - member.heardAt < QUIET_MS) return;
    if (member.unheardSince !== null && now - member.unheardAt >= HEARD_BY_SERVER_MS) member.unheardSince = null;
    const everyMs = isDoubtful(member) ? PROBE_MS : SILENT_PROBE_MS;
    if (now - member.probedAt < everyMs) return;
    member.probedAt = now;
    this.#options.probe(member);
  }
}

function areAlike(one: Presence["exports"], other: Presence["exports"]): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name]?.state === other[name]?.state);
}

/** Whether it may be gone, which the next probes show. */
function isDoubtful({ unheardSince, isSuperseded }: Member): boolean {
  return unheardSince !== null || isSuperseded;
}
