/** A module inside a process of its own: its commands, its context, its workers, its hooks. */

import type { Runtime } from "../../runtime/runtime.ts";
import { Onward, type RunningCall, type Service } from "../call/server.ts";
import type { CallClient } from "../call/client.ts";
import { CallMap } from "../call/map.ts";
import { CallStream, type StreamTarget } from "../call/stream.ts";
import { type CallDefaults, type CallRequest, checkedRequest, defaultsOf, NO_OPTIONS } from "../call/call.ts";
import { hasToClean } from "./cleanup.ts";
import { canDispose, Owned } from "../module/dispose.ts";
import type { CallOptions, Handler, Module, ModuleContext } from "../module/definition.ts";
import { UnknownModuleError } from "../faults.ts";
import type { ReceivedCall } from "../wire/columns.ts";
import type { CallHeaders, CallTargets, ControlFromChild, Setup } from "../wire/messages.ts";
import { deadline, formatTimeout } from "../duration.ts";
import { type FrameReporter, LineLimit } from "../log/reporter.ts";
import type { LogEvent } from "../log/events.ts";
import { describeThrown, stackFrom } from "../log/stack.ts";
import { commandMap } from "../module/module.ts";
import { attempt, closestMatch, cutText, moduleNameOf } from "../checks.ts";
import { applyUser, headline, isThenable } from "../user_code.ts";
import type { Role } from "./role.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Workers } from "./workers.ts";

const MAX_LOG_TEXT = 10_000;

export interface ModuleHostOptions {
  readonly runtime: Runtime;
  readonly role: Role;
  readonly program: string | undefined;
  readonly reporter: FrameReporter;
  readonly setup: Setup;
  /** Whether what the module owns stays at its end: it is served in the process that made it, which goes on. @default false */
  readonly keepsOwned?: boolean;
  readonly send: (message: ControlFromChild) => void;
  /** Calls to the parent; loaded at the first use. */
  readonly parent: () => Promise<CallClient>;
}

export class ModuleHost implements Service {
  readonly #options: ModuleHostOptions;
  readonly #stop = new AbortController();
  #owned: Owned | undefined;
  readonly #context: ModuleContext;
  readonly #logLimit: LineLimit;
  #targets: CallTargets;
  #moduleOptions: unknown;
  readonly #defaults = new Map<string, CallDefaults>();
  #module: Module | undefined;
  #workers: Workers | undefined;
  /** Of a module that is scaled before it has any. */
  #firstWorkers: Promise<Workers> | undefined;
  #endExpected = false;
  /** Whether a worker has something to clean. */
  #collects = false;
  commands: ReadonlyMap<string, Handler> = new Map();

  constructor(options: ModuleHostOptions) {
    this.#options = options;
    const { runtime, role, reporter, setup } = options;
    this.#targets = setup;
    this.#moduleOptions = setup.options;
    const { maxLinesPerSecond } = setup.output;
    this.#logLimit = new LineLimit(runtime.clock, maxLinesPerSecond, (count) => {
      const what = `lines of ctx.log (limit: ${maxLinesPerSecond} a second)`;
      reporter.report("process.dropped", { process: role.process, what, count }, { module: role.process });
    });
    this.#context = this.#makeContext();
  }

  /**
   * Brings the module up within its `startTimeoutMs`: its workers, its commands, its start hook. Its workers load `modules`, as this
   * process did.
   *
   * @throws what the module's own code throws.
   */
  async start(module: Module, modules: readonly Module[]): Promise<void> {
    const time = new StartTime(this.#options.runtime, this.#options.setup.supervision.startTimeoutMs);
    await Promise.race([this.#start(module, { modules, time }), time.over]).finally(() => time.end());
  }

  async #start(
    module: Module,
    { modules, time }: { readonly modules: readonly Module[]; readonly time: StartTime },
  ): Promise<void> {
    this.#module = module;
    const { definition, name } = module;
    const { worker } = this.#options.role;
    const owns = worker === null && this.#options.keepsOwned !== true ? definition.owns ?? [] : [];
    for (const resource of owns) this.#own(resource);
    const { optionsSchema } = definition;
    if (optionsSchema !== undefined) {
      const { checkedOptions } = await import("../module/schema.ts");
      this.#moduleOptions = await checkedOptions(optionsSchema, this.#options.setup.options);
    }
    const commands = worker === null ? definition.commands : definition.workers?.commands;
    const made: unknown = typeof commands === "function"
      ? applyUser(commands, undefined, [this.#context])
      : commands ?? {};
    const known = commandMap(`Module "${name}": commands`, isPromise(made) ? await made : made);
    this.commands = known.has(DISCOVER) ? known : new Map([...known, [DISCOVER, () => discovered(name, known)]]);
    if (worker !== null) return;
    const { workers: count = definition.workers?.count ?? 0 } = this.#options.setup;
    this.#collects = hasToClean(modules, module);
    if (count > 0) {
      this.#workers = await this.#newWorkers(count);
      time.pause();
    }
    if (this.#endExpected) this.#workers?.expectEnd();
    const { start } = definition;
    await Promise.all([
      this.#workers?.start(() => time.resume()),
      start === undefined ? undefined : applyUser(start, definition, [this.#context]),
    ]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    const definition = this.#module?.definition;
    if (this.#options.role.worker === null) await this.#attempt(() => definition?.stop?.(this.#context));
    await this.#workers?.stop();
    for (const dispose of this.#owned?.disposals().toReversed() ?? []) await this.#attempt(dispose);
    this.#logLimit.end();
  }

  #own(resource: unknown): void {
    (this.#owned ??= new Owned()).add(resource);
  }

  /** Nobody will stop the module. */
  abandon(): void {
    this.#stop.abort();
  }

  /** This process was sent a signal that ends it; its workers may have been, too. */
  expectEnd(): void {
    this.#endExpected = true;
    this.#workers?.expectEnd();
  }

  /** Undefined where the module has none. */
  get workers(): Workers | undefined {
    return this.#workers;
  }

  /** Settles when there are so many workers, each ready or failed. @throws {Error} where the module has no code for any. */
  async scale(count: number): Promise<void> {
    const module = this.#options.role.module;
    if (this.#module?.definition.workers === undefined) {
      throw new Error(`Cannot scale "${module}": it defines no workers`);
    }
    this.#firstWorkers ??= this.#newWorkers(0);
    this.#workers ??= await this.#firstWorkers;
    await this.#workers.scale(count);
  }

  follow(targets: CallTargets): void {
    this.#targets = targets;
    this.#defaults.clear();
    this.#workers?.sendToAll({ kind: "targets", targets });
  }

  expects(error: unknown): boolean {
    // A class decides by code of its own what is one of its kind.
    return attempt(() => this.#module?.definition.expected?.some((expected) => error instanceof expected)) === true;
  }

  /** A call of the parent that is for one of the workers. */
  forward({ command, options }: ReceivedCall, context: RunningCall): Onward {
    const timeoutMs = options?.timeoutMs ?? this.#targets.timeoutMs;
    const { caller, name: target } = this.#pick(command);
    return new Onward(caller, { target, timeoutMs, wire: { caller: context.caller } });
  }

  /** A worker's call to another module goes on to the parent, under the worker's name. */
  async #ofWorker(
    { options }: ReceivedCall,
    context: RunningCall,
    target = this.#options.role.broker,
  ): Promise<Onward> {
    const timeoutMs = options?.timeoutMs ?? this.#targets.timeoutMs;
    const wire = { ...options, ...this.#route(target, timeoutMs), caller: context.caller };
    return new Onward(await this.#options.parent(), { target, timeoutMs, wire });
  }

  /** The code of a parent is loaded where there are workers. */
  async #newWorkers(count: number): Promise<Workers> {
    const { runtime, role, program, reporter, setup, send } = this.#options;
    const parent = {
      runtime,
      reporter,
      broker: role.broker,
      name: role.process,
      guard: null,
      service: { commands: NO_COMMANDS, forward: this.#ofWorker.bind(this) },
      wanted: () => reporter.wanted(),
      targets: () => this.#targets,
      records: (events: readonly LogEvent[]) => reporter.pass(events),
    };
    const { Workers } = await import("./workers.ts");
    return new Workers(count, { parent, role, program, setup, collects: this.#collects, send });
  }

  #makeContext(): ModuleContext {
    const { role, reporter } = this.#options;
    const moduleOptions = () => this.#moduleOptions;
    const log = (level: "debug" | "info" | "warning" | "error") => (text: string) => {
      if (!reporter.wants(`module.${level}`) || !this.#logLimit.take()) return;
      reporter.report(`module.${level}`, { text: cutText(String(text), MAX_LOG_TEXT) }, { module: role.process });
    };
    const [toWorker, toOther] = [this.#toWorker.bind(this), this.#toOther.bind(this)];
    async function callWorker(command: string, params: readonly unknown[] = [], settings = NO_OPTIONS) {
      try {
        const { caller, options } = toWorker({ command, params, settings });
        return await caller.call(command, params, options);
      } catch (error) {
        throw stackFrom(error, callWorker);
      }
    }
    async function callOther(
      to: Module | string,
      command: string,
      params: readonly unknown[] = [],
      settings = NO_OPTIONS,
    ): Promise<unknown> {
      try {
        const { caller, options } = await toOther(to, { command, params, settings });
        return await caller.call(command, params, options);
      } catch (error) {
        throw stackFrom(error, callOther);
      }
    }
    return {
      broker: role.broker,
      module: role.module,
      role: { broker: role.broker, module: role.module, worker: role.worker },
      get options() {
        return moduleOptions();
      },
      log: { debug: log("debug"), info: log("info"), warning: log("warning"), error: log("error") },
      signal: this.#stop.signal,
      workers: {
        call: callWorker,
        stream: (command, params = [], settings = NO_OPTIONS) =>
          new CallStream(command, params, () => this.#toWorker({ command, params, settings })),
        map: (items, options) =>
          new CallMap(items, options, {
            target: role.module,
            call: callWorker,
            workers: () => this.#workers?.count ?? 0,
          }),
      },
      call: callOther,
      stream: (
        to: Module | string,
        command: string,
        params: readonly unknown[] = [],
        settings: CallOptions = NO_OPTIONS,
      ) => new CallStream(command, params, () => this.#toOther(to, { command, params, settings })),
      notify: async (to, command, params = [], settings = NO_OPTIONS) => {
        const { caller, options } = await this.#toOther(to, { command, params, settings });
        await caller.call(command, params, { ...options, wire: { ...options.wire, notify: true } });
      },
      own: (resource) => {
        if (!canDispose(resource)) {
          throw new TypeError(`Cannot own a resource of module "${role.module}": it has no way to be disposed of`);
        }
        this.#own(resource);
        return resource;
      },
    };
  }

  #toWorker(args: CallArgs): StreamTarget {
    const { name: target, caller } = this.#pick(args.command);
    // A worker is a part of its module: what holds for the module's calls holds for those of its workers.
    const defaults = this.#defaultsOf(this.#options.role.module);
    return { caller, options: checkedArgs(target, args, defaults) };
  }

  /** @throws {UnknownModuleError} where there is none. */
  #pick(command: string): Supervisor {
    const worker = this.#workers?.pick();
    if (worker !== undefined) return worker;
    throw new UnknownModuleError({ target: `${this.#options.role.module}-1`, command }, { nearest: null });
  }

  async #toOther(to: Module | string, args: CallArgs): Promise<StreamTarget> {
    const target = moduleNameOf(to);
    const { names } = this.#targets;
    // The broker knows whether there is such a node.
    const [name = target] = target.split("@", 1);
    if (!names.includes(name)) {
      throw new UnknownModuleError({ target, command: args.command }, { nearest: closestMatch(target, names) });
    }
    const options = checkedArgs(target, args, this.#defaultsOf(target));
    const wire = this.#route(target, options.timeoutMs);
    return { caller: await this.#options.parent(), options: { ...options, wire } };
  }

  /** Headers that tell the parent where a call goes: none, where it goes to the parent itself. */
  #route(target: string, timeoutMs: number): CallHeaders {
    const { worker, broker } = this.#options.role;
    return worker === null && target === broker ? {} : { target, timeoutMs };
  }

  #defaultsOf(target: string): CallDefaults {
    const known = this.#defaults.get(target);
    if (known !== undefined) return known;
    const { timeoutMs, retry, calls = {} } = this.#targets;
    const made = defaultsOf({ timeoutMs, retry }, Object.hasOwn(calls, target) ? calls[target] : undefined);
    this.#defaults.set(target, made);
    return made;
  }

  /** The end of a process goes on whatever its hooks do; what they throw is logged. */
  async #attempt(work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      const text = `stop: ${headline(describeThrown(error))}`;
      this.#options.reporter.report("module.error", { text }, { module: this.#options.role.process });
    }
  }
}

/** Commands that have one named `then` are none: a promise of any library inherits it. */
function isPromise(value: unknown): boolean {
  return isThenable(value) && !Object.hasOwn(Object(value), "then");
}

/** The deadline of a module's start. It is paused while a worker waits for its turn, and then begins anew. */
class StartTime {
  readonly #runtime: Runtime;
  readonly #ms: number;
  readonly over: Promise<never>;
  #reject: (error: Error) => void = () => {};
  #state: "runs" | "paused" | "ended" = "paused";
  #clear: () => void = () => {};

  constructor(runtime: Runtime, ms: number) {
    this.#runtime = runtime;
    this.#ms = ms;
    this.over = new Promise((_, reject) => this.#reject = reject);
    this.resume();
  }

  pause(): void {
    this.#state = "paused";
    this.#clear();
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "runs";
    const { clock, pid } = this.#runtime;
    this.#clear = deadline(clock, this.#ms, () => {
      // A stack would be this file's own, and say nothing of what the module waits for.
      this.#reject(Object.assign(new Error(`it did not end in ${formatTimeout(this.#ms)}`), { stack: "" }));
    }, () => this.#runtime.waitedMs(pid));
  }

  end(): void {
    this.#state = "ended";
    this.#clear();
  }
}

interface CallArgs {
  readonly command: string;
  readonly params: readonly unknown[];
  readonly settings: CallOptions;
}

function checkedArgs(target: string, { command, params, settings }: CallArgs, defaults: CallDefaults): CallRequest {
  return checkedRequest({ target, command, params }, settings, defaults);
}

/** Loaded when somebody asks. */
async function discovered(module: string, commands: ReadonlyMap<string, Handler>): Promise<unknown> {
  const { discover } = await import("../module/discover.ts");
  return discover(module, commands);
}

/** The command that says what commands a module has, unless it has one of that name: {@linkcode discover}. */
const DISCOVER = "rpc.discover";

const NO_COMMANDS: ReadonlyMap<string, Handler> = new Map();
