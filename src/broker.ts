/** The public broker: joins the core to the runtime it runs on. */

import type { BrokerCore } from "./core/broker/broker.ts";
import type { EventId, LogRecord } from "./core/log/events.ts";
import type {
  CallOptions,
  CommandsOf,
  ItemOf,
  ItemStream,
  Module,
  ModuleCommands,
  ParamsOf,
  ResultOf,
  WorkerCalls,
  WorkerCommandsOf,
} from "./core/module/definition.ts";
import type { ProgramCommands } from "./core/module/program.ts";
import { inspect, isRecord, moduleNameOf } from "./core/checks.ts";
import type { BrokerOptions, BrokerPlan } from "./core/broker/options.ts";
import { readRole, type Role, ROLE_VARIABLE, Starts } from "./core/child/role.ts";
import { BROKER } from "./core/settings/settings.ts";
import { filled } from "./core/settings/table.ts";
import type { BrokerStatus } from "./core/broker/status.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type {} from "./runtime/posix/program.ts";

const starts = new Starts();
/** Those that a signal ends. */
const signalled = new Set<BrokerCore>();

/** `brokkr run` sets it to what it runs, so that any copy of the library knows, and says whether it started a broker. */
const UNDER_RUN = Symbol.for("brokkr.run");

/**
 * A running broker: the parent of its modules' processes.
 *
 * @example The modules of `examples/monitoring`; `program` is needed only if the program is not the main module
 * ```ts
 * import { Broker } from "brokkr";
 * import { livestatus } from "../examples/monitoring/livestatus.ts";
 * import { sla } from "../examples/monitoring/sla.ts";
 *
 * const program = new URL("../examples/monitoring/main.ts", import.meta.url);
 * await using broker = await Broker.start({ name: "broker-master", modules: [livestatus, sla], program });
 * const { up } = await broker.call(livestatus, "get_module_info");
 * if (up !== 105) throw new Error(`${up} hosts are up`);
 * ```
 */
export class Broker implements AsyncDisposable {
  readonly #core: BrokerCore;

  private constructor(core: BrokerCore) {
    this.#core = core;
  }

  /**
   * Starts a broker with a process for each module; resolves when each module is ready or has failed its first start.
   *
   * It returns only in the broker: a process that brokkr created from the same program cleans up, serves commands until the broker
   * stops it, and exits; a second `Broker.start` in it never settles. A module whose start failed is `failed` in
   * {@linkcode Broker.status}, and calls to it reject.
   *
   * @throws {TypeError} if an option is wrong; the message names the option.
   * @throws {ProcessGoneError} with `failFast`, if a module's first start fails.
   * @throws {Error} with `control`, if a running broker has the name; and if a new process could not run this program or would not
   * reach this call, as in a test runner: then set `program`.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const runtime = await detectRuntime();
    const own = ownRole(options, runtime);
    if (own !== null) return await serve(options, runtime, own);
    const { checkOptions } = await import("./core/broker/options.ts");
    const plan = checkOptions(options);
    noteStart();
    if (plan.inProcess !== null) return new Broker(await startInProcess(plan, runtime));
    const { role, depth, pid } = readRole(runtime.env.get(ROLE_VARIABLE));
    // A process belongs to one broker; for another one's start there is nothing to do in it, now or later.
    if (role !== null || pid === runtime.pid) {
      if (role !== null) tellOfOtherStart(plan.name, role, runtime);
      return await new Promise<never>(() => {});
    }
    starts.begun(plan.name);
    try {
      return new Broker(await startCore(plan, runtime, depth));
    } finally {
      starts.settled(plan.name);
    }
  }

  /** Name of the broker, as it was given to `Broker.start`. */
  get name(): string {
    return this.#core.name;
  }

  /**
   * Calls a command of a module. If the module is starting or waits for its restart, the call waits too, within its timeout.
   *
   * @param target the module, for typed parameters and result.
   * @param command the command's name.
   * @param params the command's parameters. @default []
   * @param options `timeoutMs` of one attempt (1,000 by default), `totalTimeoutMs` of the whole call, `retry`, `onProgress`, `signal` to
   * cancel, `thread` for the log lines.
   * @throws {BrokerError} one of its subclasses; `code` says which.
   * @example
   * ```ts
   * import { type Broker, defineModule } from "brokkr";
   *
   * const sla = defineModule({ name: "sla", commands: { get_report: (month: string) => ({ month, availability: 99.7 }) } });
   *
   * export async function availability(broker: Broker, month: string): Promise<number> {
   *   const report = await broker.call(sla, "get_report", [month], { timeoutMs: 500 });
   *   return report.availability;
   * }
   * ```
   */
  call<M extends Module, K extends keyof CommandsOf<M> & string>(
    target: M,
    command: K,
    params?: ParamsOf<CommandsOf<M>[K]>,
    options?: CallOptions,
  ): Promise<ResultOf<CommandsOf<M>[K]>>;
  /** Calls a command of a module by the module's name; the result is `unknown`. @throws {BrokerError} */
  call(target: string, command: string, params?: readonly unknown[], options?: CallOptions): Promise<unknown>;
  call(
    target: Module | string,
    command: string,
    params?: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    return this.#core.call(target, command, params, options);
  }

  /**
   * The commands of a module as functions: `broker.module(sla).get_report("2021-10")` is `broker.call(sla, "get_report", ["2021-10"])`.
   * It accepts `remote` modules too. Commands that yield are not included: use {@linkcode Broker.stream} for them.
   *
   * @param options the options of every call made this way.
   * @example
   * ```ts
   * import { type Broker, defineModule } from "brokkr";
   *
   * const sla = defineModule({ name: "sla", commands: { get_report: (month: string) => ({ month, availability: 99.7 }) } });
   *
   * export async function availability(broker: Broker, month: string): Promise<number> {
   *   const { get_report } = broker.module(sla, { timeoutMs: 500 });
   *   return (await get_report(month)).availability;
   * }
   * ```
   */
  module<M extends Module>(target: M, options?: CallOptions): ModuleCommands<M>;
  module(target: Module, options?: CallOptions): object {
    const name = moduleNameOf(target);
    const commands = new Map<string, (...params: unknown[]) => Promise<unknown>>();
    const commandNamed = (command: string) => {
      const known = commands.get(command);
      if (known !== undefined) return known;
      const call = (...params: unknown[]) => this.#core.call(name, command, params, options);
      commands.set(command, call);
      return call;
    };
    return new Proxy(Object.freeze({}), {
      // With `then` it would be a promise to whoever awaits it, and with `toJSON` whoever writes it would make a call.
      get: (_, key) => typeof key === "string" && key !== "then" && key !== "toJSON" ? commandNamed(key) : undefined,
    });
  }

  /**
   * Calls the workers of a module, as the module's own code does with `ctx.workers`. A call goes through the module's process to the
   * worker with the fewest pending calls.
   *
   * @example The price of each of a million plums, of which only a few are in memory
   * ```ts
   * import { type Broker, defineModule } from "brokkr";
   *
   * const shop = defineModule({ name: "shop", workers: { count: 4, commands: { price: (plum: number) => plum * 3 } } });
   *
   * export async function total(broker: Broker, plums: AsyncIterable<number>): Promise<number> {
   *   let sum = 0;
   *   for await (const price of broker.workers(shop).map(plums, { command: "price" })) sum += price;
   *   return sum;
   * }
   * ```
   */
  workers<M extends Module>(target: M): WorkerCalls<WorkerCommandsOf<M>>;
  /** Calls the workers of a module by the module's name; results are `unknown`. */
  workers(target: string): WorkerCalls<ProgramCommands>;
  workers(target: Module | string): WorkerCalls<ProgramCommands> {
    return this.#core.workers(moduleNameOf(target));
  }

  /**
   * Streams a command that yields: a generator, or a command that returns an iterable. Items arrive as the command yields them, and the
   * command pauses while nobody reads them. `timeoutMs` is the time limit for one item; leaving the loop ends the command.
   *
   * @example
   * ```ts
   * import { type Broker, defineModule } from "brokkr";
   *
   * const logs = defineModule({
   *   name: "logs",
   *   commands: {
   *     async *lines(count: number) {
   *       for (let line = 1; line <= count; line++) yield `line ${line}`;
   *     },
   *   },
   * });
   *
   * export async function firstLine(broker: Broker): Promise<string | undefined> {
   *   for await (const line of broker.stream(logs, "lines", [1_000_000])) return line;
   *   return undefined;
   * }
   * ```
   */
  stream<M extends Module, K extends keyof CommandsOf<M> & string>(
    target: M,
    command: K,
    params?: ParamsOf<CommandsOf<M>[K]>,
    options?: CallOptions,
  ): ItemStream<ItemOf<CommandsOf<M>[K]>>;
  /** Streams a command of a module by the module's name; items are `unknown`. */
  stream(target: string, command: string, params?: readonly unknown[], options?: CallOptions): ItemStream;
  stream(target: Module | string, command: string, params?: readonly unknown[], options?: CallOptions): ItemStream {
    return this.#core.stream(moduleNameOf(target), command, params, options);
  }

  /**
   * Sends a notification, which has no answer, to a program of `defineProgram`; resolves when it has been handed over.
   *
   * @throws {TypeError} for a module, which takes no notifications. @throws {BrokerError} if the program is gone or its queue is full.
   */
  async notify(
    target: Module | string,
    method: string,
    params?: readonly unknown[],
    options?: CallOptions,
  ): Promise<void> {
    await this.#core.notify(moduleNameOf(target), method, params, options);
  }

  /** Lets every module finish its running calls, then ends the processes and the broker. Idempotent. */
  async stop(): Promise<void> {
    await this.#core.stop();
  }

  /**
   * Restarts a module or a worker (`M-1`), or without a name every module, one after the other. Calls wait meanwhile. Resolves when it
   * is ready, or when this start has failed, even if its restart policy tries again.
   *
   * @throws {UnknownModuleError} if no process has that name.
   */
  async restart(target?: Module | string): Promise<void> {
    await this.#core.restart(target === undefined ? undefined : moduleNameOf(target));
  }

  /**
   * Replaces the process of a module, or without a name of every module, one after the other, so that new code takes over. The old
   * process serves until the new one is ready. If that fails it keeps serving; resolves with the names of those modules.
   *
   * @throws {UnknownModuleError} if no module has that name.
   */
  async reload(target?: Module | string): Promise<string[]> {
    return await this.#core.reload(target === undefined ? undefined : moduleNameOf(target));
  }

  /**
   * Changes the number of a module's workers until the module is loaded again; a restart keeps it. Resolves when new workers are ready
   * or have failed to start, and surplus workers have finished their calls and exited.
   *
   * @param workers how many; 0 for none.
   * @throws {UnknownModuleError} if no module has that name.
   * @throws {Error} if the module is not ready, defines no workers, or has `permissions`.
   */
  async scale(target: Module | string, workers: number): Promise<void> {
    await this.#core.scale(moduleNameOf(target), workers);
  }

  /** The state, memory, calls and latency of every process; memory is read when you call it. */
  async status(): Promise<BrokerStatus> {
    return await this.#core.status();
  }

  /**
   * Calls `listener` for every event, whatever `logLevel` is. Returns a function that unsubscribes it.
   *
   * @example
   * ```ts
   * import type { Broker } from "brokkr";
   *
   * export function countTimeouts(broker: Broker): { readonly count: number; stop(): void } {
   *   let count = 0;
   *   const stop = broker.on("call.timeout", () => count++);
   *   return { get count() { return count; }, stop };
   * }
   * ```
   */
  on(event: "*", listener: (record: LogRecord) => void): () => void;
  /** Calls `listener` for each record of one event, with the type of its `fields`. Returns a function that unsubscribes it. */
  on<Id extends EventId>(event: Id, listener: (record: LogRecord<Id>) => void): () => void;
  on<Id extends EventId>(event: Id | "*", listener: (record: LogRecord<Id>) => void): () => void {
    if (typeof listener !== "function") {
      throw new TypeError(
        `Cannot listen to ${inspect(event)}: a listener is a function, and it is ${inspect(listener)}`,
      );
    }
    return this.#core.on(event, (record) => isOf(record, event) ? listener(record) : undefined);
  }

  /**
   * Yields every event from now on until the broker ends. A reader that falls 10,000 behind loses the oldest.
   *
   * @example
   * ```ts
   * import type { Broker } from "brokkr";
   *
   * export async function printEvents(broker: Broker): Promise<void> {
   *   for await (const record of broker.events()) console.log(record.event, record.fields);
   * }
   * ```
   */
  events(): AsyncIterableIterator<LogRecord> {
    return this.#core.events();
  }

  /** {@linkcode Broker.stop}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The role of this process in the broker of `options`; null where it has none. */
function ownRole(options: unknown, runtime: Runtime): Role | null {
  if (!isRecord(options) || options["inProcess"] === true || isRecord(options["inProcess"])) return null;
  const { role } = readRole(runtime.env.get(ROLE_VARIABLE));
  return role?.broker === options["name"] ? role : null;
}

/** Its broker has checked the options of the same program. Each side loads its own part only: a process starts the sooner. */
async function serve(options: BrokerOptions, runtime: Runtime, role: Role): Promise<never> {
  noteStart();
  const { aligned, product } = filled(BROKER, options);
  const modules = options.modules.map((module) =>
    "definition" in module ? module : { name: module.name, definition: module }
  );
  const { serveProcess } = await import("./core/child/serve.ts");
  // The program of this process is that of its workers, wherever its path leads from here.
  return await serveProcess({
    runtime,
    role,
    load: () => Promise.resolve(modules),
    program: undefined,
    product,
    aligned,
  });
}

async function startInProcess(plan: BrokerPlan, runtime: Runtime): Promise<BrokerCore> {
  const { inProcess } = await import("./core/child/in_process.ts");
  const { product, aligned } = plan;
  const modules = plan.modules.map(({ module }) => module).filter(({ program }) => program === undefined);
  return await startCore(plan, inProcess(runtime, { modules, clock: plan.inProcess?.clock, product, aligned }), 0);
}

async function startCore(plan: BrokerPlan, runtime: Runtime, depth: number): Promise<BrokerCore> {
  const [{ BrokerCore }] = await Promise.all([import("./core/broker/broker.ts"), runtime.prepareSpawn?.()]);
  const run = programOfRun();
  const underRun = run !== null;
  const folder = underRun && plan.program === undefined ? runtime.programFolder(run) : null;
  const core = new BrokerCore(plan, { runtime, depth, load: null, ...(folder === null ? {} : { folder }) });
  if (plan.inProcess === null) refuseUnreachable(plan, runtime);
  const { control = underRun, signals = underRun } = plan;
  if (control || signals) {
    // Loaded by the broker that needs it: its processes never do.
    const { exposeBroker } = await import("./core/control/server.ts");
    await exposeBroker(core, { runtime, control, signals, signalled });
  }
  try {
    await core.start();
    if (underRun) core.checkClusterName();
  } catch (error) {
    await core.stop().catch(() => {});
    throw error;
  }
  return core;
}

/** @throws {Error} where a new process of the program would never come to this start. */
function refuseUnreachable({ name, program, modules }: BrokerPlan, runtime: Runtime): void {
  const running = programOfRun() ?? runtime.program;
  const hasOwn = program !== undefined && (running === null || pathOf(program) !== pathOf(running));
  if (hasOwn || modules.every(({ module }) => module.program !== undefined)) return;
  const why = runtime.cannotRepeat() ?? starts.whyUnreachable(name);
  if (why !== null) throw new Error(`Cannot start broker "${name}": ${why}`);
}

/** Programs that start several brokers at once come to the start of this process meanwhile. */
const OTHER_START_MS = 500;

/** Says why a process ends, or hangs, whose program starts another broker than its own: the last lines of a failed start are shown. */
function tellOfOtherStart(other: string, { broker }: Role, runtime: Runtime): void {
  runtime.clock.timer(OTHER_START_MS, () => {
    // Its own start has taken the role.
    if (readRole(runtime.env.get(ROLE_VARIABLE)).role === null) return;
    runtime.writeError(
      `this process belongs to broker "${broker}", and its program starts broker "${other}": give both the same name, ` +
        "or start both at once (await Promise.all)\n",
    );
  });
}

function programOfRun(): string | null {
  const { program } = ofRun();
  return typeof program === "string" ? program : null;
}

function noteStart(): void {
  Reflect.set(ofRun(), "hasStarted", true);
}

function ofRun(): Readonly<Record<string, unknown>> {
  const run: unknown = Reflect.get(globalThis, UNDER_RUN);
  return isRecord(run) ? run : {};
}

function pathOf(program: string): string {
  return program.startsWith("file:") ? decodeURIComponent(new URL(program).pathname) : program;
}

function isOf<Id extends EventId>(record: LogRecord, event: Id | "*"): record is LogRecord<Id> {
  return event === "*" || record.event === event;
}
