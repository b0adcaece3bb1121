/**
 * `brokkr cluster check`: whether a broker can be a member of its cluster. It connects as the broker would, under an id of its own, and
 * tries all that the broker would do there; no other broker takes it for a member.
 */

import type { Clock } from "../../runtime/runtime.ts";
import { attempt, isRecord } from "../checks.ts";
import { formatTimeout, sleep } from "../duration.ts";
import { readJson } from "../wire/frame.ts";
import { objectText } from "../user_code.ts";
import { isCompatibleWith, type Presence, readPresence } from "./members.ts";
import type { ClusterPlan } from "./plan.ts";
import type { PubSub } from "./pub_sub.ts";
import { HEAD_BYTES, headOf, MessageKind, readHead } from "./session.ts";
import { HERE, Subjects } from "./subjects.ts";

/** What was found of one matter. */
export interface CheckResult {
  /** What it is about. */
  readonly about: "server" | "permissions" | "name" | "brokers" | "imports" | "clock" | "secrecy";
  /** `warning`: the broker works, and something may be not as it was meant. */
  readonly result: "ok" | "warning" | "failed";
  /** What was found, without a period. */
  readonly text: string;
  /** What to do, or null. */
  readonly remedy: string | null;
}

export interface CheckOptions {
  readonly plan: ClusterPlan;
  readonly broker: string;
  readonly clock: Clock;
  readonly newId: () => string;
}

const CONNECT_MS = 6_000;
const ANSWER_MS = 1_000;
/** The server's time to refuse what it does not permit, which it has done when it delivers what was sent after it. */
const ECHO_MS = 5_000;
const STEP_MS = 50;
/** Clocks that differ by more let the log lines of several machines stand in a wrong order. */
const SKEW_MS = 1_000;

/** A subject that the broker needs, tried in a form that disturbs nobody. */
interface Need {
  readonly action: "publish" | "subscribe";
  readonly subject: string;
  /** As the server's configuration has it. */
  readonly pattern: string;
  /** What does not work without it. */
  readonly without: string;
}

/** Settles with what was found, in the order of the work. Never rejects. */
export async function checkCluster({ plan, broker, clock, newId }: CheckOptions): Promise<CheckResult[]> {
  let settle: (reason: string | null) => void = () => {};
  const tried = new Promise<string | null>((resolve) => settle = resolve);
  const denied = new Set<string>();
  let server = "";
  const pubSub = plan.connect({
    connected: (address) => {
      server = address;
      settle(null);
    },
    disconnected: () => {},
    failed: (reason) => settle(reason),
    denied: (action, subject) => denied.add(`${action} ${subject}`),
  });
  const clear = clock.timer(CONNECT_MS, () => settle(`no answer within ${formatTimeout(CONNECT_MS)}`));
  try {
    const reason = await tried;
    if (reason !== null) return [unreachable(plan, reason)];
    const most = Math.floor(pubSub.maxPayload / 1_024);
    const text = `${server}, messages of up to ${most} KiB`;
    const found: CheckResult = { about: "server", result: "ok", text, remedy: null };
    return [found, ...await new Visit(pubSub, { plan, broker, clock, newId }, denied).results()];
  } finally {
    clear();
    await pubSub.close();
  }
}

function unreachable({ name }: ClusterPlan, reason: string): CheckResult {
  const remedy = /authoriz|authentic|user|password|nkey|jwt/i.test(reason)
    ? "correct cluster.auth, or the users in nats-server's configuration"
    : /certificate|tls|issuer|handshake/i.test(reason)
    ? "correct cluster.tls, or the certificate of the server"
    : "start nats-server, correct cluster.servers, or open its port in the firewall";
  return { about: "server", result: "failed", text: `cluster ${name} can not be reached: ${reason}`, remedy };
}

class Visit {
  readonly #pubSub: PubSub;
  readonly #options: CheckOptions;
  readonly #denied: ReadonlySet<string>;
  readonly #subjects: Subjects;
  readonly #id: string;
  readonly #presences = new Map<string, Presence>();
  /** How far each clock is ahead of this one, by the broker's id. */
  readonly #skews = new Map<string, number>();
  readonly #answered = new Set<string>();
  #askedAt = 0;
  /** Whether the last message to itself has come. */
  #isEchoed = false;

  constructor(pubSub: PubSub, options: CheckOptions, denied: ReadonlySet<string>) {
    this.#pubSub = pubSub;
    this.#options = options;
    this.#denied = denied;
    this.#subjects = new Subjects(options.plan.name);
    this.#id = options.newId();
  }

  async results(): Promise<CheckResult[]> {
    const needs = this.#needs();
    for (const { action, subject } of needs) {
      if (action === "subscribe") this.#pubSub.subscribe(subject, () => {});
    }
    this.#listen();
    // No message has this subject, so that a broker that may read all of them does not get them all now.
    const everybodys = this.#subjects.session(undefined, undefined, this.#id);
    this.#pubSub.subscribe(everybodys, () => {});
    this.#askedAt = this.#options.clock.wall();
    this.#publish(this.#subjects.who, this.#subjects.session(this.#options.broker, this.#id, HERE));
    await this.#wait();
    this.#tryToPublish();
    await this.#wait();
    for (let ms = ANSWER_MS; ms < ECHO_MS && !this.#isEchoed && this.#denied.size === 0; ms += STEP_MS) {
      await this.#wait(STEP_MS);
    }
    const missing = needs.filter(({ action, subject }) => this.#denied.has(`${action} ${subject}`));
    return [
      ...this.#permissions(needs, missing),
      this.#secrecy(everybodys),
      ...this.#name(),
      ...this.#brokers(),
      ...this.#imports(),
      ...this.#clocks(),
    ];
  }

  #needs(): Need[] {
    const { broker, plan: { node, exports, imports } } = this.#options;
    const [subjects, id] = [this.#subjects, this.#id];
    const need = (action: Need["action"]) => (subject: string, pattern: string, without: string): Need => {
      return { action, subject, pattern, without };
    };
    const [subscribe, publish] = [need("subscribe"), need("publish")];
    return [
      subscribe(subjects.hi(), subjects.hi(), "it does not see the other brokers"),
      subscribe(subjects.here(id), subjects.here(), "it does not see the other brokers when it starts"),
      subscribe(subjects.who, subjects.who, "brokers that start later do not see it at once"),
      subscribe(subjects.session(broker, id), subjects.session(broker), "it gets no call and no answer"),
      ...[...exports.keys()].map((module) =>
        subscribe(subjects.open(module, id), subjects.open(module), `nobody can call its module "${module}"`)
      ),
      publish(subjects.who, subjects.who, "it does not see the other brokers when it starts"),
      publish(subjects.hi(broker, node), subjects.hi(broker), "no other broker sees it"),
      publish(
        subjects.here(id, broker, node),
        subjects.here(undefined, broker),
        "brokers that start later do not see it",
      ),
      publish(subjects.session(broker, id, id), subjects.session(), "it sends no call and no answer"),
      ...imports.map((module) =>
        publish(
          subjects.open(module, id, broker),
          subjects.open(module, undefined, broker),
          `it cannot call module "${module}"`,
        )
      ),
    ];
  }

  #listen(): void {
    const { clock, broker } = this.#options;
    for (const subject of [this.#subjects.here(this.#id), this.#subjects.hi()]) {
      this.#pubSub.subscribe(subject, ({ subject, bytes }) => {
        const [name = "", node = ""] = this.#subjects.parts(subject).slice(-2);
        const presence = presenceIn(bytes, { broker: name, node });
        if (presence === null || presence.bye === true || presence.id === this.#id) return;
        this.#presences.set(presence.id, presence);
        // What it has said on being asked was said between the question and now.
        if (presence.at === 0 || this.#skews.has(presence.id)) return;
        const now = clock.wall();
        const [ahead, behind] = [presence.at - now, this.#askedAt - presence.at];
        this.#skews.set(presence.id, ahead > 0 ? ahead : behind > 0 ? -behind : 0);
      });
    }
    this.#pubSub.subscribe(this.#subjects.session(broker, this.#id), ({ subject, reply, bytes, isUnheard }) => {
      const [, , session] = this.#subjects.parts(subject);
      if (session === this.#id) this.#isEchoed = true;
      const [, id = ""] = this.#subjects.parts(reply);
      if (!isUnheard && readHead(bytes)?.kind === MessageKind.reset && bytes.length >= HEAD_BYTES) {
        this.#answered.add(id);
      }
    });
  }

  /** Each in a form that changes nothing: a broker that nobody knows says that it leaves, and asks itself for a session. */
  #tryToPublish(): void {
    const { broker, plan: { node, imports } } = this.#options;
    const [subjects, id] = [this.#subjects, this.#id];
    const bye = new TextEncoder().encode(objectText({ broker, node, id, bye: true }));
    this.#pubSub.publish(subjects.hi(broker, node), bye);
    this.#pubSub.publish(subjects.here(id, broker, node), bye);
    for (const module of imports) this.#publish(subjects.open(module, id, broker));
    const probe = headOf({ kind: MessageKind.probe, position: 0, received: 0 });
    for (const other of this.#presences.values()) {
      this.#pubSub.publish(subjects.session(other.broker, other.id, id), probe, subjects.session(broker, id, other.id));
    }
    this.#publish(subjects.session(broker, id, id));
  }

  #publish(subject: string, reply?: string): void {
    this.#pubSub.publish(subject, new Uint8Array(0), reply);
  }

  async #wait(ms = ANSWER_MS): Promise<void> {
    await sleep(this.#options.clock, ms);
  }

  #permissions(needs: readonly Need[], missing: readonly Need[]): CheckResult[] {
    if (missing.length > 0) {
      return missing.map(({ action, pattern, without }) => ({
        about: "permissions",
        result: "failed",
        text: `the server does not let this broker ${action} to "${pattern}": ${without}`,
        remedy: `add "${pattern}" to ${action} of the permissions of its user`,
      }));
    }
    if (!this.#isEchoed) {
      const text = `the server does not deliver what this broker sends to itself within ${formatTimeout(ECHO_MS)}`;
      return [{ about: "permissions", result: "failed", text, remedy: "see the log of nats-server" }];
    }
    const count = (wanted: Need["action"]) => needs.filter(({ action }) => action === wanted).length;
    const text = `${count("subscribe")} subjects to subscribe to, ${count("publish")} to publish to`;
    return [{ about: "permissions", result: "ok", text, remedy: null }];
  }

  #secrecy(everybodys: string): CheckResult {
    if (this.#denied.has(`subscribe ${everybodys}`)) {
      return { about: "secrecy", result: "ok", text: "this broker cannot read the calls of others", remedy: null };
    }
    const remedy = "give each broker a user with permissions of its own, see docs/cluster.md";
    const text =
      `the server lets this broker subscribe to "${this.#subjects.session()}": it can read every call of the cluster`;
    return { about: "secrecy", result: "warning", text, remedy };
  }

  #name(): CheckResult[] {
    const { broker, plan: { node } } = this.#options;
    const [running] = [...this.#presences.values()].filter((one) => one.broker === broker && one.node === node);
    if (running === undefined) {
      return [{ about: "name", result: "ok", text: `${broker}@${node} is free`, remedy: null }];
    }
    const text = `${broker}@${node} is already a member, with pid ${running.pid}`;
    return [{ about: "name", result: "warning", text, remedy: "if that is another machine, set another cluster.node" }];
  }

  #brokers(): CheckResult[] {
    const others = this.#others();
    if (others.length === 0) {
      const remedy = "start them, and compare cluster.name and the account of their users";
      return [{ about: "brokers", result: "warning", text: "there is no other broker", remedy }];
    }
    return others.map((other): CheckResult => {
      const name = `${other.broker}@${other.node}`;
      const about = "brokers";
      if (!isCompatibleWith(other)) {
        const remedy = "run the same version of brokkr on both";
        return { about, result: "failed", text: `${name} has another protocol, brokkr ${other.version}`, remedy };
      }
      if (this.#answered.has(other.id)) {
        const modules = Object.keys(other.exports).join(", ") || "nothing";
        return { about, result: "ok", text: `${name} answers and exports ${modules}`, remedy: null };
      }
      const mine = this.#subjects.session(this.#options.broker);
      const its = this.#subjects.session(other.broker, other.id, this.#id);
      const remedy = this.#denied.has(`publish ${its}`)
        ? `add "${this.#subjects.session(other.broker)}" to publish of the permissions of this broker's user`
        : `check whether it runs, and whether its user may publish to "${mine}"`;
      return { about, result: "failed", text: `${name} does not answer this broker`, remedy };
    });
  }

  #imports(): CheckResult[] {
    return this.#options.plan.imports.map((module): CheckResult => {
      const having = this.#others().filter(({ exports }) => Object.hasOwn(exports, module));
      const nodes = having.map(({ node, exports }) => `${node} (${exports[module]?.state})`).join(", ");
      if (having.length > 0) return { about: "imports", result: "ok", text: `${module} is on ${nodes}`, remedy: null };
      const remedy = `start a broker whose cluster.exports has "${module}"`;
      return { about: "imports", result: "warning", text: `nobody exports module "${module}"`, remedy };
    });
  }

  #clocks(): CheckResult[] {
    const about = "clock";
    const known = this.#others().flatMap(({ id, broker, node }) => {
      const ms = this.#skews.get(id);
      return ms === undefined ? [] : [{ name: `${broker}@${node}`, ms }];
    });
    const wrong = known.filter(({ ms }) => Math.abs(ms) > SKEW_MS);
    const remedy = "let both machines take their time from one source, such as systemd-timesyncd or chrony";
    if (wrong.length > 0) {
      return wrong.map(({ name, ms }) => {
        const way = ms > 0 ? "ahead of" : "behind";
        const text = `the clock of ${name} is ${(Math.abs(ms) / 1_000).toFixed(1)} s ${way} this machine's`;
        return { about, result: "failed", text, remedy };
      });
    }
    if (known.length === 0) return [];
    return [{ about, result: "ok", text: `within ${SKEW_MS / 1_000} s of every other broker's`, remedy: null }];
  }

  /** Those of other names or nodes, in the order of their nodes. */
  #others(): Presence[] {
    const { broker, plan: { node } } = this.#options;
    return [...this.#presences.values()].filter((one) => one.broker !== broker || one.node !== node)
      .sort((one, other) => one.node < other.node ? -1 : 1);
  }
}

function presenceIn(bytes: Uint8Array, name: { readonly broker: string; readonly node: string }): Presence | null {
  return attempt(() => isRecord(readJson(bytes)) ? readPresence(bytes, name) : null) ?? null;
}
