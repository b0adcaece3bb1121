/**
 * Processes that are kept ready: each has loaded what every process of this broker loads, and waits for its role. The start of a module
 * takes one in place of a new process. `await_role.ts` is the other side.
 */

import type { ExitStatus, MemoryUsage, OutputSink, ProgramProcess } from "../../runtime/runtime.ts";
import { deadline, formatTimeout } from "../duration.ts";
import { messageOf } from "../user_code.ts";
import { DEFAULT_FRAME_LIMIT, FrameType, FrameWriter } from "../wire/frame.ts";
import { controlFromParent, TREE_SIGNAL_MS } from "../wire/messages.ts";
import { HeldChannel } from "./await_role.ts";
import { exitText } from "./child_process.ts";
import type { ChildSpec, ParentProcess } from "./child_spec.ts";
import type { Guard } from "./guard.ts";
import { ROLE_VARIABLE } from "./role.ts";

/** One that was given its role and does not answer in this time is replaced by a new process. */
const ANSWER_MS = 1_000;
/** The process that was taken comes up first. */
const REFILL_MS = 100;
/** From the end of one that was not taken to the next one: the first pause, and the longest. */
const AGAIN_MS = 1_000;
const MAX_AGAIN_MS = 60_000;
/** One that waited for so long did not end by what it loads. */
const MIN_WAIT_MS = 10_000;
/** One whose channel was closed has this time to end. */
const END_MS = 1_000;

export interface StandbyPlan {
  readonly count: number;
  /** Time from the spawn to the first sign that it waits. */
  readonly loadMs: number;
  readonly program: string | undefined;
  readonly collects: boolean;
  readonly cwd: () => string;
  /** `tree` is the mark by which the process is found. */
  readonly env: (channelAddress: string, tree: string) => Readonly<Record<string, string>>;
  /** Changes with what makes those that wait useless. */
  readonly signature: string;
}

/** A process that waits for the next start, with `standby`. */
export interface StandbyStatus {
  /** Process id. */
  readonly pid: number;
  /** Its memory now. */
  readonly memory: MemoryUsage;
}

export class Standbys {
  readonly #parent: ParentProcess & { readonly guard: Guard };
  /** Those that wait or will. */
  readonly #all = new Set<Standby>();
  /** Those, and what has not ended yet of those that were. */
  readonly #running = new Set<Standby>();
  #plan: StandbyPlan;
  #isOpen = false;
  #isStarting = false;
  #losses = 0;
  #clearPause: (() => void) | undefined;
  #settleEnd = () => {};

  constructor(parent: ParentProcess & { readonly guard: Guard }, plan: StandbyPlan) {
    this.#parent = parent;
    this.#plan = plan;
  }

  open(): void {
    this.#isOpen = true;
    this.#fill();
  }

  /** Those that wait are of no use under another plan. */
  follow(plan: StandbyPlan): void {
    const isOther = plan.signature !== this.#plan.signature;
    this.#plan = plan;
    if (isOther) return this.renew();
    while (this.#all.size > plan.count) this.#retire([...this.#all].pop());
    this.#fill();
  }

  /** The program may have changed since they loaded it. */
  renew(): void {
    for (const standby of [...this.#all]) this.#retire(standby);
    this.#pause(REFILL_MS);
  }

  async end(): Promise<void> {
    this.#isOpen = false;
    this.#clearPause?.();
    for (const standby of [...this.#all]) this.#retire(standby);
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#settleEnd = resolve);
  }

  async status(): Promise<StandbyStatus[]> {
    const { runtime } = this.#parent;
    const ready = [...this.#all].filter(({ isReady }) => isReady);
    return await Promise.all(ready.map(async ({ pid }) => ({ pid, memory: await runtime.memory(pid) })));
  }

  /** A process that has become what `spec` says; null where there is none. */
  async take(spec: ChildSpec, output: OutputSink): Promise<ProgramProcess | null> {
    const standby = [...this.#all].find(({ isReady }) => isReady);
    if (spec.takesStandby !== true || standby === undefined) return null;
    this.#all.delete(standby);
    const why = await standby.become(spec);
    if (why !== null) {
      standby.kill();
      this.#lost(standby.pid, why);
      return null;
    }
    this.#losses = 0;
    this.#pause(REFILL_MS);
    this.#running.delete(standby);
    this.#parent.guard.adopt(spec.name, standby.tree);
    return standby.taken(output);
  }

  #fill(): void {
    const { count } = this.#plan;
    if (!this.#isOpen || this.#isStarting || this.#clearPause !== undefined || this.#all.size >= count) return;
    this.#isStarting = true;
    const leave = this.#parent.starts.enter(() =>
      void this.#start().finally(() => {
        leave();
        this.#isStarting = false;
        this.#fill();
      })
    );
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    const { guard } = this.#parent;
    if (!this.#isOpen) return;
    const standby = new Standby(this.#parent, this.#plan);
    this.#all.add(standby);
    try {
      const { exited } = await standby.spawn();
      guard.addStandby(standby.pid, standby.tree);
      this.#running.add(standby);
      void exited.then((status) => this.#ended(standby, status));
      // Retired meanwhile.
      if (!this.#all.has(standby)) return standby.retire();
      const why = await standby.ready();
      if (why === null || !this.#all.delete(standby)) return;
      standby.kill();
      this.#lost(standby.pid, why);
    } catch (error) {
      if (this.#all.delete(standby)) this.#lost(null, messageOf(error));
    }
  }

  #ended(standby: Standby, status: ExitStatus): void {
    // Else it is another's.
    if (!this.#running.delete(standby)) return;
    this.#parent.guard.remove(standby.pid);
    if (this.#all.delete(standby)) this.#lost(standby.pid, exitText(status), standby.readyMs);
    if (this.#running.size === 0) this.#settleEnd();
  }

  #retire(standby: Standby | undefined): void {
    if (standby === undefined) return;
    this.#all.delete(standby);
    standby.retire();
  }

  /** The next one waits: a signal may have been for the broker too, and what failed once may fail again. */
  #lost(childPid: number | null, reason: string, waitedMs = 0): void {
    const { reporter, runtime: { clock }, broker } = this.#parent;
    this.#losses = waitedMs < MIN_WAIT_MS ? this.#losses + 1 : 1;
    const delayMs = Math.min(AGAIN_MS * 2 ** (this.#losses - 1), MAX_AGAIN_MS);
    this.#pause(delayMs);
    clock.timer(TREE_SIGNAL_MS, () => {
      if (this.#isOpen) reporter.report("standby.lost", { childPid, reason, delayMs }, { module: broker });
    });
  }

  #pause(ms: number): void {
    this.#clearPause?.();
    if (!this.#isOpen) return;
    this.#clearPause = this.#parent.runtime.clock.timer(ms, () => {
      this.#clearPause = undefined;
      this.#fill();
    });
  }
}

class Standby {
  readonly #parent: ParentProcess & { readonly guard: Guard };
  readonly #plan: StandbyPlan;
  readonly tree: string;
  #env: Readonly<Record<string, string>> = {};
  #process: ProgramProcess | undefined;
  #channel: HeldChannel | undefined;
  #output: OutputSink | undefined;
  /** What waits for a reader of its output. */
  readonly #unread: (() => void)[] = [];
  #readySince: number | undefined;

  constructor(parent: ParentProcess & { readonly guard: Guard }, plan: StandbyPlan) {
    this.#parent = parent;
    this.#plan = plan;
    this.tree = parent.guard.standbyTree();
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isReady(): boolean {
    return this.#readySince !== undefined;
  }

  get readyMs(): number {
    return this.#readySince === undefined ? 0 : this.#clock.now() - this.#readySince;
  }

  async spawn(): Promise<ProgramProcess> {
    const { program, collects, cwd, env } = this.#plan;
    return this.#process = await this.#parent.runtime.spawnProgram({
      program,
      collects,
      cwd: cwd(),
      env: (address) => this.#env = env(address, this.tree),
      group: true,
      output: (stream, chunk) => this.#printed(stream, chunk),
    });
  }

  /** Settles when it waits for its role, or with why it never will. */
  async ready(): Promise<string | null> {
    const process = this.#process;
    if (process === undefined) return null;
    const { loadMs } = this.#plan;
    return await this.#within(loadMs, `it was not ready in ${formatTimeout(loadMs)}`, (done) => {
      process.channel.then((channel) => {
        const data = () => {
          this.#readySince ??= this.#clock.now();
          done(null);
        };
        this.#channel = new HeldChannel(channel, { data, closed: () => done("it closed its channel") });
      }, (error: unknown) => done(messageOf(error)));
    });
  }

  /** Settles when it has become what `spec` says, or with why it has not. */
  async become(spec: ChildSpec): Promise<string | null> {
    const channel = this.#channel;
    if (channel === undefined) return "it has no channel";
    const { [ROLE_VARIABLE]: role = "", ...env } = spec.env("");
    const known = new Map(Object.entries(this.#env));
    known.delete(ROLE_VARIABLE);
    const set = Object.fromEntries(Object.entries(env).filter(([name, value]) => known.get(name) !== value));
    const unset = [...known.keys()].filter((name) => !Object.hasOwn(env, name));
    const text = controlFromParent.text({ kind: "role", role, folder: spec.cwd(), set, unset });
    return await this.#within(ANSWER_MS, `it did not answer in ${formatTimeout(ANSWER_MS)}`, (done) => {
      channel.hold(() => done(null));
      const writer = new FrameWriter(channel, DEFAULT_FRAME_LIMIT);
      writer.text(FrameType.notice, text);
      writer.writeOut();
    });
  }

  /** It is another's from now on. */
  taken(output: OutputSink): ProgramProcess | null {
    if (this.#process === undefined || this.#channel === undefined) return null;
    this.#output = output;
    for (const read of this.#unread.splice(0)) read();
    return { ...this.#process, channel: Promise.resolve(this.#channel) };
  }

  kill(): void {
    this.#process?.kill("SIGKILL", { group: true });
  }

  /** Lets it end by itself. */
  retire(): void {
    const process = this.#process;
    if (process === undefined) return;
    if (!this.isReady) return this.kill();
    this.#channel?.close();
    const clear = this.#clock.timer(END_MS, () => this.kill());
    void process.exited.then(() => {
      clear();
      this.kill();
    });
  }

  get #clock() {
    return this.#parent.runtime.clock;
  }

  /** What it prints before it is taken is read then, and it waits where that is much. */
  #printed(stream: "stdout" | "stderr", chunk: Uint8Array): unknown {
    if (this.#output !== undefined) return this.#output(stream, chunk);
    const kept = Uint8Array.from(chunk);
    return new Promise<void>((resolve) => {
      this.#unread.push(() => void Promise.resolve(this.#output?.(stream, kept)).then(() => resolve()));
    });
  }

  /** Settles with what `done` is called with, with how the process ended, or with `late`. */
  async #within(ms: number, late: string, begin: (done: (why: string | null) => void) => void): Promise<string | null> {
    return await new Promise<string | null>((resolve) => {
      const clear = deadline(this.#clock, ms, () => resolve(late), () => this.#parent.runtime.waitedMs(this.pid));
      const done = (why: string | null) => {
        clear();
        resolve(why);
      };
      void this.#process?.exited.then((status) => done(exitText(status)));
      begin(done);
    });
  }
}
