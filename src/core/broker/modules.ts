/** The modules of a broker: started, started again, replaced and stopped in order. */

import { type CallTarget, UnknownModuleError } from "../faults.ts";
import { closestMatch, inspect } from "../checks.ts";
import type { EventFields } from "../log/events.ts";
import type { CallClient } from "../call/client.ts";
import type { ExportedModule } from "../cluster/members.ts";
import { type CallDefaults, defaultsOf } from "../call/call.ts";
import { checkSandbox, type ModulePlan, orderedModule, startOrder } from "./options.ts";
import type { ChildSpec } from "../child/child_spec.ts";
import { callTargets, childSpec, type ModulesContext } from "./child_spec.ts";
import { isWorkerOf, processName } from "../child/role.ts";
import { NO_MEMORY, Supervisor, type SupervisorEvents } from "../child/supervisor.ts";
import type { ModuleStatus } from "./status.ts";
import type { ProcessStatus } from "../wire/status.ts";

type Change = "replaced" | "kept";

/** What a plan does for one module in its turn. */
interface Step {
  readonly slot: ModuleSlot;
  readonly after: readonly string[];
  act(): Promise<unknown>;
}

/** The time in which one plan is the newest. */
class Turn {
  readonly over: Promise<void>;
  isOver = false;
  #settle: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => this.#settle = resolve);
  }

  end(): void {
    this.isOver = true;
    this.#settle();
  }
}

export interface Route {
  readonly target: string;
  readonly caller: CallClient;
  readonly defaults: CallDefaults;
  readonly isProgram: boolean;
  /** Whether another broker has it. @default false */
  readonly isRemote?: boolean;
}

export type Changes = Pick<EventFields["broker.reloaded"], "replaced" | "kept" | "added" | "removed">;

export class Modules {
  /** In the order of their start. */
  #running = new Map<string, ModuleSlot>();
  #defaults: CallDefaults;
  /** To the module that was called last: mostly the next call goes there too. Valid until the plan changes. */
  #recent: Route | undefined;
  #declared: readonly string[];
  /** Modules that were not started because one before them has failed. */
  readonly #held = new Set<ModuleSlot>();
  /** Modules that no plan has any more, until their processes have ended. */
  readonly #leaving = new Map<string, { readonly slot: ModuleSlot; readonly ended: Promise<void> }>();
  /** Signatures of the plan whose changes were counted last. */
  #counted: ReadonlyMap<string, string | undefined>;
  #turn = new Turn();
  /** Settles when every module of the newest plan is up or has failed. */
  #up: Promise<unknown> = Promise.resolve();
  #stopping = false;

  constructor(context: ModulesContext) {
    this.#defaults = context.plan;
    this.#declared = context.plan.modules.map(({ module }) => module.name);
    for (const plan of inOrder(context)) this.#add(plan, context);
    this.#counted = this.#signatures();
  }

  /** In the order in which they were declared, and then those that are on their way out. */
  *slots(): Iterable<ModuleSlot> {
    for (const name of this.#declared) {
      const slot = this.#running.get(name);
      if (slot !== undefined) yield slot;
    }
    for (const [name, { slot }] of this.#leaving) if (!this.#running.has(name)) yield slot;
  }

  /** @throws {UnknownModuleError} */
  slot(call: CallTarget): ModuleSlot {
    const slot = this.#running.get(call.target);
    if (slot !== undefined) return slot;
    throw new UnknownModuleError(call, { nearest: closestMatch(call.target, this.#running.keys()) });
  }

  /** @throws {UnknownModuleError} */
  route(target: string, command: string): Route {
    const recent = this.#recent;
    return recent !== undefined && recent.target === target ? recent : this.#routeTo(target, command);
  }

  /** What other brokers may know of a module; null where there is none of the name. */
  exported(name: string): ExportedModule | null {
    const process = this.#running.get(name)?.process;
    return process === undefined
      ? null
      : { state: process.state, pending: process.caller.pending, commands: process.commands };
  }

  /** Starts each module when those before it are ready; settles when each is ready or has failed its first start. */
  async start(): Promise<void> {
    void this.#bring([...this.#running.values()].map((slot) => ({
      slot,
      after: slot.plan.settings.after ?? [],
      act: () => this.#startOne(slot),
    })));
    let up: Promise<unknown>;
    do await (up = this.#up); while (up !== this.#up);
  }

  /** Drains every module, the last one started first, and waits for those on their way out. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const slot of this.slots()) slot.process.expectEnd();
    const slots = [...this.#running.values()].toReversed();
    // Otherwise each end would let another one start that is not wanted any more.
    for (const slot of slots) if (slot.process.isWaiting) void slot.stop();
    for (const slot of slots) await slot.stop();
    await Promise.all([...this.#leaving.values()].map(({ ended }) => ended));
  }

  /** Drains one module. @throws {UnknownModuleError} */
  async stopOne(name: string): Promise<void> {
    const slot = this.#slotTo("stop", name);
    slot.hasBegun = true;
    slot.isOff = true;
    await slot.stop();
  }

  /** Starts one module or worker again, or all modules one after the other. @throws {UnknownModuleError} */
  async restart(name?: string): Promise<void> {
    if (name === undefined) {
      for (const slot of this.#running.values()) {
        if (!this.#isIn(slot)) continue;
        slot.isOff = false;
        await slot.restart();
      }
      return;
    }
    // Without a wait for a module's own name, so that the next calls go to the new process.
    const worker = this.#running.has(name) ? undefined : await this.#worker(name);
    if (worker !== undefined) return await worker.slot.restartWorker(worker.number);
    const slot = this.#slotTo("restart", name);
    slot.hasBegun = true;
    slot.isOff = false;
    await slot.restart();
    // A start that is tried again may succeed yet.
    if (slot.process.isSettled) await this.#startHeld();
    else void slot.process.settled().then(() => this.#startHeld());
  }

  /**
   * Opens or closes the inspector of a module or worker. Settles with its address, or null where it is closed now.
   *
   * @throws {UnknownModuleError} @throws {Error} where it has none, or may not have one.
   */
  async inspect(name: string, open: boolean): Promise<string | null> {
    const worker = this.#running.has(name) ? undefined : await this.#worker(name);
    const slot = this.#slotTo("inspect", worker?.slot.name ?? name);
    const { plan } = slot;
    if (plan.module.program !== undefined) {
      throw new Error(
        `Cannot inspect "${name}": it is a program in another language, only JavaScript modules can be inspected`,
      );
    }
    if (plan.settings.permissions !== undefined) {
      throw new Error(`Cannot inspect "${name}": it has permissions, and who inspects a process can do what they deny`);
    }
    return await slot.process.inspect(open, worker?.number ?? null);
  }

  /** Makes the workers of a module so many, until it is loaded again. @throws {UnknownModuleError} @throws {Error} where it can't be. */
  async scale(name: string, workers: number): Promise<void> {
    const at = `Cannot scale "${name}"`;
    if (!Number.isInteger(workers) || workers < 0) {
      throw new TypeError(
        `${at}: the number of workers must be a whole number of at least 0, and it is ${inspect(workers)}`,
      );
    }
    const slot = this.#slotTo("scale", name);
    const { plan } = slot;
    if (plan.module.program !== undefined) {
      throw new Error(`${at}: it is a program in another language, only JavaScript modules have workers`);
    }
    if (plan.settings.permissions !== undefined) throw new Error(`${at}: it has permissions, and so no workers`);
    const taken = [...this.#running.keys()].find((other) => isWorkerOf(name, other, workers));
    if (taken !== undefined) throw new Error(`${at} to ${workers}: "${taken}" is the name of a module`);
    await slot.scale(workers);
  }

  /**
   * Replaces one module's process by a new one, or those of all modules one after the other. Settles with the names of those whose
   * new process did not come up.
   *
   * @throws {UnknownModuleError}
   */
  async reload(name?: string): Promise<string[]> {
    const kept: string[] = [];
    if (name === undefined) {
      for (const slot of this.#running.values()) {
        if (this.#isIn(slot) && !slot.isOff && !await slot.replace("reload")) kept.push(slot.name);
      }
    } else {
      const slot = this.#slotTo("reload", name);
      slot.hasBegun = true;
      slot.isOff = false;
      if (!await slot.replace("reload")) kept.push(name);
    }
    await this.#startHeld();
    return kept;
  }

  /**
   * Makes the modules those of another plan, which overtakes the one before. Settles when all of it is done; with null where a newer
   * plan, or the end of the broker, came before.
   */
  async follow(context: ModulesContext): Promise<Changes | null> {
    if (this.#stopping) return null;
    const plans = inOrder(context);
    this.#turn.end();
    const turn = this.#turn = new Turn();
    const before = this.#running;
    this.#defaults = context.plan;
    this.#recent = undefined;
    this.#declared = context.plan.modules.map(({ module }) => module.name);
    this.#running = new Map();
    for (const plan of plans) this.#take(plan, context, before.get(plan.module.name));
    const targets = callTargets(context.plan);
    for (const slot of this.#running.values()) slot.process.sendToAll({ kind: "targets", targets });
    const left = this.#dismiss([...before.values()].filter(({ name }) => !this.#running.has(name)));
    const counted = this.#counted;
    const added = this.#declared.filter((name) => !counted.has(name)).length;
    const removed = [...counted.keys()].filter((name) => !this.#running.has(name)).length;
    const changes = { replaced: 0, kept: 0, added, removed };
    const done = this.#bring(this.#steps(plans, context, ({ name, signature, isOff }, change) => {
      if (!counted.has(name)) return;
      if (change !== null) changes[change]++;
      // A plan that was overtaken may have replaced it.
      else if (counted.get(name) !== signature && !isOff) changes.replaced++;
    }));
    await Promise.race([Promise.all([done, left]), turn.over]);
    if (turn.isOver || this.#stopping) return null;
    this.#counted = this.#signatures();
    await this.#startHeld();
    return changes;
  }

  #slotTo(action: NonNullable<CallTarget["action"]>, name: string): ModuleSlot {
    return this.slot({ target: name, command: action, action });
  }

  #routeTo(target: string, command: string): Route {
    const { plan, process: { caller } } = this.slot({ target, command });
    const isProgram = plan.module.program !== undefined;
    const defaults = defaultsOf(this.#defaults, plan.calls);
    return this.#recent = { target, caller, defaults, isProgram };
  }

  /** Whether a restart or a reload of all is for this module: a plan may have removed it meanwhile, or not have started it yet. */
  #isIn(slot: ModuleSlot): boolean {
    return !this.#stopping && slot.hasBegun && this.#running.get(slot.name) === slot;
  }

  #signatures(): Map<string, string | undefined> {
    return new Map([...this.#running].map(([name, { signature }]) => [name, signature]));
  }

  #add(plan: ModulePlan, context: ModulesContext): void {
    const { name } = plan.module;
    const slot = new ModuleSlot(plan, childSpec(plan, context), {
      failed: ({ setup }) => {
        if (setup.supervision.restart.escalate === "stop-broker") context.failed();
      },
      notStarted: (fault) => context.notStarted(name, fault),
      changed: context.changed,
    });
    slot.signature = slot.wanted = context.host.signature?.(name);
    this.#running.set(name, slot);
  }

  /** Takes a module of a plan over: one that is `known`, one that is on its way out, or a new one. */
  #take(plan: ModulePlan, context: ModulesContext, known: ModuleSlot | undefined): void {
    const { name } = plan.module;
    const slot = known ?? this.#leaving.get(name)?.slot;
    if (slot === undefined) return this.#add(plan, context);
    this.#running.set(name, slot);
    if (known === undefined) slot.hasBegun = slot.isOff = false;
    if (slot.hasBegun) return;
    slot.follow(childSpec(plan, context));
    slot.plan = plan;
    slot.signature = slot.wanted = context.host.signature?.(name);
  }

  /** Drains the modules that no plan has any more, the last one started first. */
  async #dismiss(gone: readonly ModuleSlot[]): Promise<void> {
    let last: Promise<void> = Promise.resolve();
    for (const slot of gone.toReversed()) {
      this.#held.delete(slot);
      const { name } = slot;
      const ended = last = last.then(() => slot.stop()).then(() => {
        if (this.#leaving.get(name)?.ended === ended) this.#leaving.delete(name);
      });
      this.#leaving.set(name, { slot, ended });
    }
    await last;
  }

  /** What is to be done for the modules of `plans`. Replacements take turns, so that only one module has two processes at a time. */
  #steps(
    plans: readonly ModulePlan[],
    context: ModulesContext,
    count: (slot: ModuleSlot, change: Change | null) => void,
  ): Step[] {
    const turn = this.#turn;
    let last: Promise<void> = Promise.resolve();
    const step = (slot: ModuleSlot, plan: ModulePlan): Step => {
      const wasAway = this.#leaving.has(plan.module.name);
      const start = () => this.#startOne(slot).then(() => turn.isOver || count(slot, wasAway ? "replaced" : null));
      const change = async () => {
        const change = turn.isOver || this.#stopping ? null : await this.#change(slot, plan, context);
        if (!turn.isOver) count(slot, change);
      };
      const act = slot.hasBegun ? () => last = last.then(change) : start;
      return { slot, after: plan.settings.after ?? [], act };
    };
    return plans.flatMap((plan) => {
      const slot = this.#running.get(plan.module.name);
      return slot === undefined ? [] : [step(slot, plan)];
    });
  }

  async #change(slot: ModuleSlot, plan: ModulePlan, context: ModulesContext): Promise<Change | null> {
    const spec = childSpec(plan, context);
    const signature = context.host.signature?.(slot.name);
    if (slot.isOff) {
      slot.adopt(spec);
      slot.plan = plan;
      slot.signature = slot.wanted = signature;
      this.#recent = undefined;
      return null;
    }
    if (signature !== slot.wanted) return await this.#replace(slot, plan, { spec, signature });
    // One that is overtaken may be replacing it by the same.
    const turn = this.#turn;
    const change = await slot.change ?? null;
    if (turn.isOver) return change;
    slot.follow(spec);
    if (change !== "kept") slot.plan = plan;
    this.#recent = undefined;
    return change;
  }

  async #replace(
    slot: ModuleSlot,
    plan: ModulePlan,
    { spec, signature }: { readonly spec: ChildSpec; readonly signature: string | undefined },
  ): Promise<Change> {
    slot.wanted = signature;
    const replaced = slot.replace("its settings have changed", spec);
    const change = slot.change = replaced.then((done): Change => done ? "replaced" : "kept");
    const outcome = await change;
    if (slot.change !== change) return outcome;
    slot.change = undefined;
    if (outcome === "replaced") {
      slot.plan = plan;
      slot.signature = signature;
      this.#recent = undefined;
      // The same is tried again by the next plan that has it. After a stop, or a start that failed, the settings are in force already.
    } else if (slot.wanted === signature) slot.wanted = slot.has(spec) ? undefined : slot.signature;
    return outcome;
  }

  /** Takes each step when the modules before it are up. Settles when each was taken once; none waits for one that is tried again. */
  #bring(steps: readonly Step[]): Promise<unknown> {
    const turn = this.#turn;
    const up = new Map<string, Promise<unknown>>();
    const done = new Map<string, Promise<unknown>>();
    for (const { slot, after, act } of steps) {
      const taken = Promise.all(after.map((name) => up.get(name))).then(() => turn.isOver ? undefined : act());
      up.set(slot.name, taken.then(() => slot.process.settled()));
      const canStart = () => after.every((name) => this.#running.get(name)?.process.isSettled !== false);
      done.set(slot.name, Promise.all(after.map((name) => done.get(name))).then(() => canStart() ? taken : undefined));
    }
    this.#up = Promise.race([Promise.all(up.values()), turn.over]);
    const all = Promise.all(done.values());
    // Those that wait get the error; nobody may wait.
    for (const each of [this.#up, all]) each.catch(() => {});
    return all;
  }

  async #startOne(slot: ModuleSlot): Promise<void> {
    const away = this.#leaving.get(slot.name);
    if (away !== undefined) await away.ended;
    if (this.#stopping || slot.hasBegun || this.#running.get(slot.name) !== slot) return;
    slot.hasBegun = true;
    this.#held.delete(slot);
    const { after = [] } = slot.plan.settings;
    const failed = after.find((name) => this.#running.get(name)?.process.state === "failed");
    if (failed === undefined) return await slot.process.start();
    this.#held.add(slot);
    slot.process.failToStart(`it starts after "${failed}", which has failed`);
  }

  /** Starts those that waited for a module that is ready now. */
  async #startHeld(): Promise<void> {
    const isReady = (name: string) => this.#running.get(name)?.process.state === "ready";
    const free = [...this.#held].filter(({ plan }) => (plan.settings.after ?? []).every(isReady));
    for (const slot of free) {
      this.#held.delete(slot);
      if (slot.process.state === "failed") await slot.restart();
    }
    if (free.length > 0) await this.#startHeld();
  }

  async #worker(name: string): Promise<{ slot: ModuleSlot; number: number } | undefined> {
    for (const slot of this.#running.values()) {
      const number = await slot.workerNumber(name);
      if (number !== null) return { slot, number };
    }
    return undefined;
  }
}

function inOrder({ plan, host }: ModulesContext): ModulePlan[] {
  checkSandbox(plan.modules, host.runtime);
  const byName = new Map(plan.modules.map((module) => [module.module.name, module]));
  return startOrder(plan.modules.map(orderedModule)).flatMap((name) => byName.get(name) ?? []);
}

/** What a worker's status is from the end of its module's process on. */
function ended(worker: ProcessStatus): ProcessStatus {
  const nothing = { pid: null, uptimeMs: 0, blocked: false, nextRestartMs: null, reason: null, memory: NO_MEMORY };
  return { ...worker, state: "stopped", ...nothing };
}

/** How long a module may take to report its workers before the last known are shown. */
const STATUS_MS = 500;

interface SlotEvents {
  /** The process has ended by itself before it was ready. */
  readonly notStarted: NonNullable<SupervisorEvents["notStarted"]>;
  /** The process will not be started again; `spec` is the one that it had last. */
  readonly failed: (spec: ChildSpec) => void;
  readonly changed: () => void;
}

export class ModuleSlot {
  readonly name: string;
  readonly process: Supervisor;
  /** What it was started with. */
  plan: ModulePlan;
  /** Whether its first start has begun, or was given up; until then it waits for others. */
  hasBegun = false;
  /** Whether it was stopped by hand: a new configuration, or a reload of all modules, does not start it. */
  isOff = false;
  /** Changes with its settings. */
  signature: string | undefined;
  /** The signature of the process that is to take its place, or is there by now. */
  wanted: string | undefined;
  /** Its replacement that is under way. */
  change: Promise<Change> | undefined;
  /** What the configuration says, whatever number of workers was set by hand. */
  #base: ChildSpec;
  /** What it says where that is not in force yet, since a process has to be replaced for it. */
  #coming: ChildSpec | undefined;
  /** How often something came into force without a new process. */
  #follows = 0;
  #newest: Promise<boolean> = Promise.resolve(false);
  /** Workers that were set by hand, until the module is loaded again. */
  #scale: number | null = null;
  /** The most of them so far: those that are too many may not have ended yet. */
  #mostWorkers = 0;
  #workers: readonly ProcessStatus[] = [];
  #stopping: Promise<void> | undefined;

  constructor(plan: ModulePlan, spec: ChildSpec, events: SlotEvents) {
    this.name = spec.name;
    this.plan = plan;
    this.#base = spec;
    this.process = new Supervisor(this.#scaled(spec), {
      workers: (workers) => this.#workers = workers,
      notStarted: events.notStarted,
      failed: () => events.failed(this.process.spec),
      changed: events.changed,
    });
  }

  /** How many it has; null where only its process knows it. */
  get workers(): number | null {
    return this.process.spec.workers;
  }

  /**
   * Puts a new process in the place of the module's own. False where that did not come up and the old one was kept. One that a newer
   * one overtakes ends as that does.
   */
  replace(reason: string, changed?: ChildSpec): Promise<boolean> {
    this.#stopping = undefined;
    const replaced: Promise<boolean> = this.#replace(reason, changed).then((done) => {
      if (this.#newest !== replaced) return done || this.#newest;
      this.#coming = undefined;
      return done;
    });
    return this.#newest = replaced;
  }

  async #replace(reason: string, changed?: ChildSpec): Promise<boolean> {
    if (changed !== undefined) this.#coming = changed;
    const base = this.#coming ?? this.#base;
    const follows = this.#follows;
    // A new one, so that a start that is under way is not taken for this one.
    const spec = this.#scaled(base, null);
    const wasReplaced = await this.process.replace(reason, { spec });
    // Else it was kept, or what overtook this one is in its place.
    if (this.process.spec !== spec) return wasReplaced;
    this.#scale = null;
    if (changed !== undefined || this.#follows === follows) this.#base = base;
    // What came into force meanwhile holds for the next start.
    else this.follow(this.#base);
    return wasReplaced;
  }

  /** From the next start on the module's own process is made with `spec`. */
  follow(spec: ChildSpec): void {
    this.#follows++;
    this.#base = spec;
    this.process.follow(this.#scaled(spec));
  }

  /** `spec` with so many workers; null for as many as it says itself. */
  #scaled(spec: ChildSpec, workers = this.#scale): ChildSpec {
    const isWorker = (process: string) => spec.isWorker(process) || isWorkerOf(this.name, process, this.#mostWorkers);
    return { ...spec, isWorker, ...(workers === null ? {} : { workers, setup: { ...spec.setup, workers } }) };
  }

  /** The same for a module that is stopped, and that nothing starts but a restart or a reload by its name. */
  adopt(spec: ChildSpec): void {
    this.#coming = undefined;
    this.process.forget();
    this.follow(spec);
  }

  /** Whether the next start is with `spec`. */
  has(spec: ChildSpec): boolean {
    return this.#base === spec;
  }

  restart(): Promise<void> {
    this.#stopping = undefined;
    return this.process.restart();
  }

  /** Drains the module's process; others that ask meanwhile wait for the same end. */
  async stop(): Promise<void> {
    if (this.#stopping === undefined) {
      const stopping: Promise<void> = this.process.stop().finally(() => {
        if (this.#stopping === stopping) this.#stopping = undefined;
      });
      this.#stopping = stopping;
    }
    await this.#stopping;
  }

  /** The number of the worker of that name, or null. */
  async workerNumber(name: string): Promise<number | null> {
    const number = Number(name.startsWith(`${this.name}-`) ? name.slice(this.name.length + 1) : NaN);
    if (!Number.isInteger(number) || number < 1 || processName(this.name, number) !== name) return null;
    const { workers } = this;
    if (workers !== null) return number <= workers ? number : null;
    await this.#askForWorkers();
    return this.#workers.some((worker) => worker.name === name) ? number : null;
  }

  /** Starts worker number `number` again; settles when it is ready, or that start has ended. */
  async restartWorker(number: number): Promise<void> {
    await this.process.tried();
    // Workers come up with their module.
    if (this.process.state !== "ready") return await this.restart();
    await this.process.ask((request) => ({ kind: "restart", worker: number, request }));
  }

  /** Makes its workers so many; settles when the new ones are up, and those that are too many have ended. @throws {Error} */
  async scale(workers: number): Promise<void> {
    await this.process.tried();
    const { state } = this.process;
    if (state !== "ready") throw new Error(`Cannot scale "${this.name}": it is ${state}`);
    const before = this.#scale;
    const hold = (scale: number | null) => {
      this.#scale = scale;
      this.follow(this.#base);
    };
    this.#mostWorkers = Math.max(this.#mostWorkers, workers);
    hold(workers);
    const answer = await this.process.ask((request) => ({ kind: "scale", workers, request }));
    if (answer.kind !== "status" || answer.error === undefined) return;
    hold(before);
    throw new Error(answer.error);
  }

  async status(): Promise<ModuleStatus> {
    const [status] = await Promise.all([this.process.status(), this.#askForWorkers()]);
    const { state } = status;
    // They ended with the process that reported them.
    if (state !== "ready" && state !== "draining") this.#workers = this.#workers.map(ended);
    return { ...status, workers: this.#workers };
  }

  async #askForWorkers(): Promise<void> {
    if (this.workers === 0 || this.process.state !== "ready") return;
    await this.process.ask((request) => ({ kind: "status", request }), STATUS_MS);
  }
}
