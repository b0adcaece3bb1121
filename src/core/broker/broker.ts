/** The broker: the parent of the modules' processes, and the way of every call between them. */

import { Onward, type RunningCall, type Service } from "../call/server.ts";
import { CallMap } from "../call/map.ts";
import { CallStream, type StreamTarget } from "../call/stream.ts";
import { checkedRequest, NO_OPTIONS } from "../call/call.ts";
import { moduleNameOf } from "../checks.ts";
import type { CallOptions, Handler, Module, WorkerCalls } from "../module/definition.ts";
import type { ReceivedCall } from "../wire/columns.ts";
import type { CallHeaders } from "../wire/messages.ts";
import { BrokerLog } from "../log/broker_log.ts";
import type { EventFields, EventId, LogRecord } from "../log/events.ts";
import { MAIN_THREAD } from "../log/reporter.ts";
import { levelFrom } from "../log/prefix.ts";
import { type BrokerFault, toError, UnknownModuleError } from "../faults.ts";
import type { ClusterSettings } from "../settings/settings.ts";
import { commandMap } from "../module/module.ts";
import type { ProgramCommands } from "../module/program.ts";
import { Modules, type Route } from "./modules.ts";
import type { BrokerPlan } from "./options.ts";
import { OwnCommands } from "./own_commands.ts";
import { type BrokerHost, callTargets, type ModulesContext, standbyPlan } from "./child_spec.ts";
import { brokerFacts, type BrokerStatus } from "./status.ts";
import type { Cluster, ClusterStatus } from "../cluster/cluster.ts";
import type { ParentProcess } from "../child/child_spec.ts";
import { Guard } from "../child/guard.ts";
import type { Standbys } from "../child/standby.ts";
import { type StartFolder, startFolder, StartPlaces } from "../child/starts.ts";

/** How to make another program process 1 of a container. */
const INIT =
  'run the container with an init: "docker run --init", "init: true" in a Compose file, or tini in the image';

export class BrokerCore implements Service {
  readonly name: string;
  #plan: BrokerPlan;
  #host: BrokerHost;
  readonly #log: BrokerLog;
  readonly #guard: Guard;
  readonly #parent: ParentProcess & { readonly guard: Guard };
  readonly #starts: StartPlaces;
  readonly #folder: StartFolder;
  #standbys: Standbys | undefined;
  readonly #modules: Modules;
  readonly #startedAt: number;
  readonly commands: ReadonlyMap<string, Handler>;
  readonly #own: OwnCommands;
  /** Where the call went that was passed on last, and was no notification. */
  #onward: Onward | undefined;
  /** What the last call of another broker's module asked it for. */
  #headers: CallHeaders & { readonly timeoutMs: number } = { timeoutMs: 0 };
  readonly #closers: (() => unknown)[] = [];
  readonly #imports: ReadonlySet<string>;
  #cluster: Cluster | undefined;
  #stopped: Promise<void> | undefined;
  #hasFailed = false;
  /** Whether its last event is behind it. */
  #hasEnded = false;
  #notStarted: (module: string, fault: BrokerFault<"GONE">) => void = () => {};

  constructor(plan: BrokerPlan, host: BrokerHost) {
    const { runtime } = host;
    this.name = plan.name;
    this.#plan = plan;
    this.#host = host;
    this.#startedAt = runtime.clock.now();
    this.commands = commandMap("Option commands", plan.commands);
    this.#log = new BrokerLog({
      runtime,
      style: { broker: plan.name, product: plan.product, aligned: plan.aligned },
      level: plan.logLevel ?? levelFrom(runtime.env.get("BROKKR_LOG")) ?? "info",
      log: plan.log ?? ((record) => runtime.writeError(`${record.lines().join("\n")}\n`)),
    });
    runtime.whenErrorLost?.((lines, reason) => this.report("log.lost", { file: "standard error", lines, reason }));
    this.#own = new OwnCommands({ runtime, reporter: this.#log, broker: plan.name, commands: this.commands });
    this.#log.onWanted = (events) => {
      for (const slot of this.#modules.slots()) slot.process.sendToAll({ kind: "wanted", events });
    };
    this.#guard = new Guard({
      runtime,
      broker: plan.name,
      sweep: plan.sweep,
      unguarded: (lost) => this.#log.report("broker.unguarded", lost, { module: this.name }),
      orphan: (found) => this.#log.report("process.orphan", found, { module: this.name }),
    });
    this.#starts = new StartPlaces(startConcurrency(plan, runtime));
    const log = this.#log;
    this.#parent = {
      runtime,
      reporter: log,
      broker: plan.name,
      name: plan.name,
      guard: this.#guard,
      starts: this.#starts,
      standbys: { take: async (spec, output) => await this.#standbys?.take(spec, output) ?? null },
      service: this,
      wanted: () => log.wanted(),
      targets: () => callTargets(this.#plan),
      records: (events) => {
        for (const event of events) if (log.wants(event.event)) log.emit(event);
      },
    };
    this.#folder = startFolder(runtime, {
      instead: () => [this.#host.folder ?? null, runtime.programFolder(this.#plan.program)],
      gone: (fields) => this.#log.report("process.folder-gone", fields, { module: fields.process }),
    });
    this.#imports = new Set(plan.cluster?.settings.imports);
    this.#modules = new Modules(this.#context());
  }

  get plan(): BrokerPlan {
    return this.#plan;
  }

  /** @throws {ClusterNameTakenError} where another broker of the cluster has the name. */
  checkClusterName(): void {
    if (this.#cluster?.state === "taken") throw new ClusterNameTakenError(this.name);
  }

  /** Whether its cluster is the one of these settings. */
  hasCluster(settings: ClusterSettings | undefined): boolean {
    return JSON.stringify(this.#plan.cluster?.settings) === JSON.stringify(settings);
  }

  /** Whether the broker ends because a module failed that it can't be without. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isEnding(): boolean {
    return this.#stopped !== undefined;
  }

  /** Starts every module; settles when each is ready or has failed its first start. @throws {ProcessGoneError} with `failFast` */
  async start(): Promise<void> {
    if (this.#host.runtime.pid === 1) this.#log.report("broker.no-init", { remedy: INIT }, { module: this.name });
    const { inProcess, modules } = this.#plan;
    if (inProcess === null || modules.some(({ module }) => module.program !== undefined)) await this.#guard.start();
    const joined = (await this.#newCluster())?.start();
    const failure = this.#plan.failFast ? [this.#firstFailure()] : [];
    await Promise.race([this.#modules.start(), ...failure]);
    await joined;
    if (this.isEnding) return;
    const slots = [...this.#modules.slots()];
    const failed = slots.filter((slot) => slot.process.state === "failed").length;
    const ms = this.#host.runtime.clock.now() - this.#startedAt;
    await this.#keepStandbys();
    this.#log.report("broker.ready", { modules: slots.length, failed, ms }, { module: this.name });
  }

  /** Drains every module, last declared first, and ends the broker. Later calls wait for the same end. */
  async stop(): Promise<void> {
    if (this.#stopped === undefined) {
      this.#stopped = this.#stop();
      this.#plan.inProcess?.clock?.runUntil?.(this.#stopped);
    }
    await this.#stopped;
  }

  /** Calls `closer` when the broker has stopped; the end of `stop` waits for it. */
  whenStopped(closer: () => unknown): void {
    this.#closers.push(closer);
  }

  /** Ends a stop that takes too long: processes that still run are killed. */
  async hurry(): Promise<void> {
    void this.stop();
    this.#cluster?.hurry();
    for (const slot of this.#modules.slots()) void slot.stop();
    await this.#guard.close();
  }

  async restart(name?: string): Promise<void> {
    this.#refuseStopped("restart", name);
    this.#renewStandbys();
    await this.#modules.restart(name);
  }

  async reload(name?: string): Promise<string[]> {
    this.#refuseStopped("reload", name);
    this.#renewStandbys();
    return await this.#modules.reload(name);
  }

  /**
   * Puts a changed configuration in force: modules that changed are replaced, new ones start, those that are gone drain. A newer one
   * overtakes it: then it is not reported.
   */
  async follow(plan: BrokerPlan, host: Omit<BrokerHost, "runtime" | "depth">): Promise<void> {
    const since = this.#host.runtime.clock.now();
    this.#plan = plan;
    this.#host = { ...this.#host, ...host };
    this.#starts.limit = startConcurrency(plan, this.#host.runtime);
    await this.#keepStandbys();
    const changes = await this.#modules.follow(this.#context());
    if (changes === null) return;
    const ms = this.#host.runtime.clock.now() - since;
    this.#log.report("broker.reloaded", { ...changes, ms }, { module: this.name });
  }

  /** Logs an event that is seen outside of the core. */
  report<
    Id extends
      | "broker.socket-restored"
      | "broker.files-changed"
      | "broker.not-reloaded"
      | "log.lost"
      | "process.dropped",
  >(
    event: Id,
    fields: EventFields[Id],
  ): void {
    this.#log.report(event, fields, { module: this.name });
  }

  async scale(name: string, workers: number): Promise<void> {
    this.#refuseStopped("scale", name);
    await this.#modules.scale(name, workers);
  }

  async inspect(name: string, open: boolean): Promise<string | null> {
    return await this.#modules.inspect(name, open);
  }

  async stopModule(name: string): Promise<void> {
    await this.#modules.stopOne(name);
  }

  /** From the end of the first start on: until then every processor is busy. */
  async #keepStandbys(): Promise<void> {
    if (this.#standbys === undefined && this.#plan.standby === 0) return;
    const { Standbys } = await import("../child/standby.ts");
    if (this.isEnding) return;
    // Another plan may have come meanwhile.
    const plan = standbyPlan(this.#context());
    if (this.#standbys !== undefined) return this.#standbys.follow(plan);
    this.#standbys = new Standbys(this.#parent, plan);
    this.#standbys.open();
  }

  /** Who starts a process by hand wants the program as it is now, which those that wait have loaded before. */
  #renewStandbys(): void {
    if (this.#host.load === null) this.#standbys?.renew();
  }

  #refuseStopped(action: string, name: string | undefined): void {
    if (!this.isEnding) return;
    const what = name === undefined ? "the modules" : `"${name}"`;
    throw new Error(`Cannot ${action} ${what}: broker "${this.name}" has stopped`);
  }

  /** Not an async function: its promise would cost each call as much as the call's own. */
  call(to: Module | string, command: string, params: readonly unknown[] = [], settings: CallOptions = NO_OPTIONS) {
    try {
      const target = moduleNameOf(to);
      const { caller, options } = this.#prepare({ target, command, params }, settings);
      return caller.call(command, params, options);
    } catch (error) {
      return Promise.reject<unknown>(error);
    }
  }

  async measure(target: string, command: string, params: readonly unknown[], settings: CallOptions) {
    const { caller, options } = this.#prepare({ target, command, params }, settings);
    return await caller.measure(command, params, options);
  }

  stream(
    target: string,
    command: string,
    params: readonly unknown[] = [],
    settings: CallOptions = NO_OPTIONS,
  ): CallStream {
    return new CallStream(command, params, () => this.#prepare({ target, command, params }, settings));
  }

  /** Calls to the workers of a module, which its own process passes on. */
  workers(module: string): WorkerCalls<ProgramCommands> {
    const target = (command: string, params: readonly unknown[], settings: CallOptions): StreamTarget => {
      const { caller, defaults } = this.#modules.route(module, command);
      const options = checkedRequest({ target: module, command, params }, settings, defaults);
      if (this.#modules.slot({ target: module, command }).workers === 0) {
        throw new UnknownModuleError({ target: `${module}-1`, command }, { nearest: null });
      }
      return { caller, options: { ...options, wire: { target: module, timeoutMs: options.timeoutMs } } };
    };
    const call = (command: string, params: readonly unknown[] = [], settings: CallOptions = NO_OPTIONS) => {
      try {
        const { caller, options } = target(command, params, settings);
        return caller.call(command, params, options);
      } catch (error) {
        return Promise.reject<unknown>(error);
      }
    };
    return {
      call,
      stream: (command, params = [], settings = NO_OPTIONS) =>
        new CallStream(command, params, () => target(command, params, settings)),
      map: (items, options) =>
        new CallMap(items, options, {
          target: module,
          call,
          workers: () => this.#modules.slot({ target: module, command: options.command }).workers ?? 1,
        }),
    };
  }

  /** Sends a notification to a program of another language; settles when it was handed over. */
  async notify(target: string, method: string, params: readonly unknown[] = [], settings: CallOptions = NO_OPTIONS) {
    const { caller, defaults, isRemote } = this.#route(target, method);
    const request = checkedRequest({ target, command: method, params }, settings, defaults);
    // The broker that has it knows whether it takes notifications.
    const wire = isRemote === true
      ? { timeoutMs: request.timeoutMs, notify: true }
      : this.#notification(target, method);
    await caller.call(method, params, { ...request, wire });
  }

  /** A module's call that is meant for another module. */
  forward(call: ReceivedCall, context: RunningCall, target = this.name): Onward | Promise<unknown> {
    const timeoutMs = call.options?.timeoutMs ?? this.plan.timeoutMs;
    const notify = call.options?.notify === true;
    if (target === this.name) return this.#own.run(call, context);
    const { caller, isRemote } = this.#route(target, call.command);
    const from = context.caller;
    // Mostly the next call is like the one before, and shares what it asks for.
    const last = notify ? undefined : this.#onward;
    if (last?.isLike(caller, { target, timeoutMs, from }) === true) return last;
    // The other broker is as patient as this one, and not three times as much: it learns how long the first caller waits.
    const headers = isRemote === true
      ? { timeoutMs, ...(notify ? { notify } : {}) }
      : notify
      ? this.#notification(target, call.command)
      : {};
    const onward = new Onward(caller, { target, timeoutMs, thread: MAIN_THREAD, wire: { ...headers, caller: from } });
    if (!notify) this.#onward = onward;
    return onward;
  }

  async status(): Promise<BrokerStatus> {
    return {
      broker: brokerFacts(this.name, this.#host.runtime, this.#startedAt),
      modules: await Promise.all([...this.#modules.slots()].map((slot) => slot.status())),
      standby: await this.#standbys?.status() ?? [],
      ...(this.#cluster === undefined ? {} : { cluster: this.#cluster.status() }),
    };
  }

  /** What the status says of the cluster, at once; undefined where the broker has none. */
  clusterStatus(): ClusterStatus | undefined {
    return this.#cluster?.status();
  }

  on(event: EventId | "*", listener: (record: LogRecord) => void): () => void {
    return this.#log.on(event, listener);
  }

  /** The last records; kept from the first call of this on. */
  recentRecords(): readonly LogRecord[] {
    return this.#log.recent();
  }

  events(): AsyncIterableIterator<LogRecord> {
    const stream = this.#log.stream();
    if (this.#hasEnded) stream.end();
    return stream;
  }

  async #stop(): Promise<void> {
    const since = this.#host.runtime.clock.now();
    try {
      await this.#cluster?.leave();
      await this.#modules.stop();
      await this.#standbys?.end();
      await this.#cluster?.close();
      await this.#guard.close();
      this.#own.close();
      const ms = this.#host.runtime.clock.now() - since;
      this.#log.report("broker.stopped", { ms }, { module: this.name });
    } finally {
      try {
        for (const close of this.#closers.splice(0)) await close();
      } finally {
        this.#hasEnded = true;
        this.#log.end();
      }
    }
  }

  /** @throws {TypeError} for a module: it has commands only. */
  #notification(target: string, method: string): CallHeaders {
    if (target !== this.name && this.#modules.route(target, method).isProgram) return { target, notify: true };
    throw new TypeError(
      `Cannot notify module "${target}" of "${method}": only programs of defineProgram take notifications`,
    );
  }

  #prepare(
    call: { readonly target: string; readonly command: string; readonly params: readonly unknown[] },
    settings: CallOptions,
  ): StreamTarget & Pick<Route, "caller"> {
    const { caller, defaults, isRemote } = this.#route(call.target, call.command);
    return {
      caller,
      options: checkedRequest(call, settings, defaults, isRemote === true ? this.#headersOf : undefined),
    };
  }

  /** Another broker passes the call on, and is as patient as its caller. Mostly the next call asks for the same. */
  readonly #headersOf = (timeoutMs: number): CallHeaders => {
    if (this.#headers.timeoutMs !== timeoutMs) this.#headers = { timeoutMs };
    return this.#headers;
  };

  #route(target: string, command: string): Pick<Route, "caller" | "defaults" | "isRemote"> {
    if (target === this.name) return { caller: this.#own.caller, defaults: this.plan };
    if (this.#cluster !== undefined && (this.#imports.has(target) || target.includes("@"))) {
      const route = this.#cluster.route(target, command);
      if ("caller" in route) return { caller: route.caller, defaults: this.plan, isRemote: true };
      return this.#modules.route(route.local, command);
    }
    return this.#modules.route(target, command);
  }

  /** @throws {TypeError} on wrong options. */
  async #newCluster(): Promise<Cluster | undefined> {
    const { cluster, modules } = this.#plan;
    if (cluster === undefined) return undefined;
    const [{ Cluster }, { clusterPlan }] = await Promise.all([
      import("../cluster/cluster.ts"),
      import("../cluster/plan.ts"),
    ]);
    const plan = await clusterPlan(cluster, this.name, modules.map(({ module }) => module.name));
    return this.#cluster = new Cluster(plan, {
      runtime: this.#host.runtime,
      reporter: this.#log,
      broker: this.name,
      exported: (module) => this.#modules.exported(module),
      forward: (call, context, target) => this.forward(call, context, target),
      ping: (module) => this.#modules.slot({ target: module, command: "ping" }).process.ping(),
    });
  }

  #context(): ModulesContext {
    return {
      plan: this.#plan,
      host: this.#host,
      parent: this.#parent,
      folder: this.#folder,
      notStarted: (module, fault) => this.#notStarted(module, fault),
      failed: () => {
        this.#hasFailed = true;
        void this.stop();
      },
      changed: () => this.#cluster?.changed(),
    };
  }

  async #firstFailure(): Promise<never> {
    const { module, fault } = await new Promise<{ module: string; fault: BrokerFault<"GONE"> }>((resolve) => {
      this.#notStarted = (module, fault) => resolve({ module, fault });
    });
    throw toError(fault, { target: module, command: "start", action: "start" });
  }
}

/** Another broker is a member of the cluster under this one's name and node, and began before it. */
export class ClusterNameTakenError extends Error {
  override readonly name = "ClusterNameTakenError";

  constructor(broker: string) {
    super(
      `Cannot start broker "${broker}": another broker "${broker}" is a member of the cluster, on a node of the same name, ` +
        'stop it, or set another "name" or "cluster.node"',
    );
  }
}

/** A start keeps a processor busy: more of them at once only take longer. */
function startConcurrency({ startConcurrency }: BrokerPlan, runtime: BrokerHost["runtime"]): number {
  return startConcurrency ?? Math.max(2, runtime.processors());
}
