/** What `Broker.start` takes, checked. */

import type { Runtime } from "../../runtime/runtime.ts";
import type { LogFunction } from "../log/broker_log.ts";
import { strangeCall, toModule } from "../module/module.ts";
import type { CheckedModule, Commands } from "../module/definition.ts";
import { type AnyModule, programModule } from "../module/program.ts";
import {
  BROKER,
  type BrokerSettings,
  type CallSettings,
  MODULE,
  type ModuleCallSettings,
  type ModuleSettings,
  SLOW_TIMEOUT_MS,
} from "../settings/settings.ts";
import { overLimit } from "../faults.ts";
import { checkName, checkTable, filled, IN_PROGRAM, type Row } from "../settings/table.ts";
import { closestMatch, defined, inspect, isRecord, refuseUnknown, withoutFields } from "../checks.ts";
import { messageOf } from "../user_code.ts";
import { plainText, utf8Bytes } from "../wire/codec.ts";
import { DEFAULT_FRAME_LIMIT } from "../wire/frame.ts";
import type { ClusterConnection } from "../cluster/pub_sub.ts";
import type { TimeSource } from "../child/in_process.ts";
import { processName } from "../child/role.ts";

/** Options of `Broker.start`: the keys of `brokkr.json` that apply to a program, and those that only a program has. */
export interface BrokerOptions extends BrokerSettings {
  /** The modules, in the order of their start. */
  readonly modules: readonly AnyModule[];
  /** What a new process loads: in a program always all modules. `"own"` needs a configuration. @default "all" */
  readonly load?: "all";
  /** Settings by module name; they override those in `defineModule`. @default none */
  readonly settings?: Readonly<Record<string, ModuleSettings>>;
  /** Commands that modules call on the broker by its name: `ctx.call("broker-master", ...)`. @default none */
  readonly commands?: Commands;
  /** Whether `start` rejects if a module's first start fails; it stops the other modules first. @default false */
  readonly failFast?: boolean;
  /**
   * Runs modules and workers in this process, for unit tests: brokkr spawns nothing and cleans nothing up, but still copies values. With a
   * `clock` of `brokkr/testing` the test controls the broker's time. @default false
   */
  readonly inProcess?: boolean | { readonly clock?: TimeSource };
  /** URL or path of the program that a new process runs; it must reach the same `Broker.start`. @default the main module */
  readonly program?: URL | string;
  /** Receives every record from `logLevel` up, in the broker's process. @default prints `lines()` to standard error */
  readonly log?: LogFunction;
  /** The cluster to join: `nats({ ... })` of `brokkr/nats`. @default none */
  readonly cluster?: ClusterConnection;
  /** Whether `brokkr status`, `call` and the other commands can reach the broker. @default false, and true under `brokkr run` */
  readonly control?: boolean;
  /**
   * Whether SIGINT and SIGTERM drain the broker and end the process, and SIGHUP reloads every module. Without it a signal ends the process
   * at once, and no `stop` hook runs. @default false, and true under `brokkr run`
   */
  readonly signals?: boolean;
}

export interface ModulePlan {
  readonly module: CheckedModule;
  readonly settings: ModuleSettings;
  /** What holds for its calls; undefined where it has nothing of its own. */
  readonly calls?: ModuleCallSettings | undefined;
}

export interface BrokerPlan
  extends
    Required<Pick<BrokerOptions, "name" | "standby" | "commands" | "failFast" | "aligned" | "product" | "sweep">>,
    Pick<BrokerOptions, "startConcurrency" | "log" | "logLevel" | "cluster" | "control" | "signals"> {
  readonly modules: readonly ModulePlan[];
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  /** Where its time comes from where modules are served in this process; null where they are processes. */
  readonly inProcess: { readonly clock?: TimeSource } | null;
  readonly program: string | undefined;
}

/** What only a program can give, so that no guide lists it. */
function other(what: string, holds: (value: unknown) => boolean): Row {
  return { is: "other", what, holds, about: "" };
}

const ANYTHING: Row = { is: "anything", about: "" };
const FLAG: Row = { is: "flag", about: "" };

const OPTIONS: Readonly<Record<keyof BrokerOptions, Row>> = {
  name: BROKER.name,
  modules: ANYTHING,
  load: other('"all", as in every program', (value) => value === "all"),
  settings: ANYTHING,
  call: BROKER.call,
  startConcurrency: BROKER.startConcurrency,
  standby: BROKER.standby,
  commands: ANYTHING,
  program: other(
    "a path or a URL",
    (value) => typeof value === "string" || (isRecord(value) && typeof value["href"] === "string"),
  ),
  log: other("a function that gets each record", (value) => typeof value === "function"),
  logLevel: BROKER.logLevel,
  aligned: BROKER.aligned,
  product: BROKER.product,
  cluster: other(
    'what nats({ \u2026 }) of "brokkr/nats" returns',
    (value) => isRecord(value) && isRecord(value["settings"]) && typeof value["connect"] === "function",
  ),
  control: FLAG,
  sweep: BROKER.sweep,
  signals: FLAG,
  inProcess: other(
    "true, false or an object with a clock",
    (value) =>
      typeof value === "boolean" || isRecord(value) && (value["clock"] === undefined || isRecord(value["clock"])),
  ),
  failFast: FLAG,
};

const LEVELS = Object.keys(BROKER.logLevel.of);

export function orderedModule({ module, settings }: ModulePlan): Ordered {
  return { name: module.name, after: settings.after ?? [] };
}

/** @throws {TypeError} that names the option, what it is and what it should be. */
export function checkOptions(options: BrokerOptions): BrokerPlan {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Options must be an object with name and modules, and are ${String(options)}`);
  }
  refuseUnknown("Options of the broker", options, Object.keys(OPTIONS));
  const name = checkName("Option name", options.name);
  if (!Array.isArray(options.modules)) throw new TypeError("Option modules must be a list of modules");
  checkByName(options.settings);
  const byModule = new Map(Object.entries(options.settings ?? {}));
  const modules = options.modules.map(anyModule).map((module) => {
    const given = byModule.get(module.name);
    const over = given === undefined ? {} : given;
    byModule.delete(module.name);
    checkTable(`Option settings: module "${module.name}": `, MODULE, over);
    // What is undefined is left out, and does not stand over what the module says.
    const settings = { ...module.definition, ...defined(over) };
    const stranger = strangeCall(module.definition, over.calls);
    if (stranger !== null) {
      throw new TypeError(`Option settings: module "${module.name}": calls: ${stranger.text}`);
    }
    checkModuleOptions(module.name, settings.options);
    return { module, settings, calls: callsOf(module, settings, options.call) };
  });
  const [stranger] = byModule.keys();
  if (stranger !== undefined) {
    throw new TypeError(`Option settings: there is no module "${stranger}"`);
  }
  checkDistinct(name, modules);
  startOrder(modules.map(orderedModule));
  checkTable("Option ", { call: BROKER.call }, { call: options.call }, { ...IN_PROGRAM, units: true, quote: String });
  if (options.logLevel !== undefined && !LEVELS.includes(options.logLevel)) {
    throw new TypeError(`Option logLevel must be one of ${LEVELS.join(", ")}, and it is ${String(options.logLevel)}`);
  }
  checkTable("Option ", OPTIONS, { ...options });
  const { call: { timeoutMs, retry }, aligned, product, standby, sweep } = filled(BROKER, options);
  const { modules: _modules, load: _load, settings: _settings, call: _call, ...others } = options;
  return {
    ...others,
    modules,
    timeoutMs,
    retry,
    // A module in this process has nothing to wait for.
    standby: options.inProcess ? 0 : standby,
    commands: options.commands ?? {},
    failFast: options.failFast === true,
    inProcess: options.inProcess === true ? {} : options.inProcess || null,
    program: options.program === undefined || typeof options.program === "string"
      ? options.program
      : options.program.href,
    aligned,
    product,
    sweep,
  };
}

/** They are in the parent's hello, beside the names of all modules and how each is called. */
const OPTIONS_LIMIT = DEFAULT_FRAME_LIMIT / 2;

/** They cross to the module's process as JSON, which would lose some of them without a word. @throws {TypeError} */
function checkModuleOptions(module: string, options: unknown): void {
  try {
    const bytes = utf8Bytes(plainText(options, "options") ?? "");
    if (bytes > OPTIONS_LIMIT) throw new Error(overLimit(bytes, OPTIONS_LIMIT));
  } catch (error) {
    throw new TypeError(`Cannot pass its options to module "${module}": ${messageOf(error)}`);
  }
}

/** Calls of a program are sent once where its own settings do not say otherwise: it cannot join the two attempts of one. */
function callsOf(
  { program }: CheckedModule,
  settings: ModuleSettings,
  ofBroker: CallSettings = {},
): ModuleCallSettings | undefined {
  const { calls } = settings;
  const isSlow = program !== undefined && (program.protocol === "mcp" || program.protocol === "lsp") &&
    ofBroker.timeoutMs === undefined;
  const { timeoutMs = isSlow ? SLOW_TIMEOUT_MS : undefined } = settings;
  const { retry = program === undefined ? undefined : "never" } = settings;
  if (timeoutMs === undefined && retry === undefined && calls === undefined) return undefined;
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retry === undefined ? {} : { retry }),
    ...(calls === undefined ? {} : { calls }),
  };
}

/** @throws {TypeError} when a part of it is wrong; the message names the part. */
export function anyModule(value: unknown): CheckedModule {
  const isProgram = typeof value === "object" && value !== null && "command" in value && !("definition" in value);
  return isProgram ? programModule(value) : toModule(value);
}

function checkByName(settings: unknown): void {
  if (settings === undefined) return;
  const what = isRecord(settings) ? withoutFields(settings) : inspect(settings);
  if (!isRecord(settings) || what !== null) {
    throw new TypeError(`Option settings must be an object of settings by module name, and it is ${what}`);
  }
}

function checkDistinct(broker: string, modules: readonly ModulePlan[]): void {
  const taken = new Map([[broker, "the broker"]]);
  const take = (name: string, what: string) => {
    const other = taken.get(name);
    if (other !== undefined) throw new TypeError(`The name "${name}" of ${what} is also the name of ${other}`);
    taken.set(name, what);
  };
  for (const { module } of modules) take(module.name, `module "${module.name}"`);
  for (const { module } of modules) {
    const count = module.definition.workers?.count ?? 0;
    for (let number = 1; number <= count; number++) {
      take(processName(module.name, number), `worker ${number} of module "${module.name}"`);
    }
  }
}

/** Refuses permissions and flags that would have no effect. @throws {TypeError} */
export function checkSandbox(
  modules: readonly Pick<ModulePlan, "module" | "settings">[],
  { cannotSandbox, cannotTakeFlags }: Pick<Runtime, "cannotSandbox" | "cannotTakeFlags">,
): void {
  for (const { module, settings } of modules) {
    if (settings.runtimeArgs !== undefined) {
      const at = `Module "${module.name}": runtimeArgs`;
      if (module.program !== undefined) throw new TypeError(`${at} ${NOT_OF_PROGRAMS}`);
      if (cannotTakeFlags !== null) throw new TypeError(`${at} are not possible, because ${cannotTakeFlags}`);
    }
    if (settings.permissions === undefined) continue;
    const at = `Module "${module.name}": permissions`;
    if (module.program !== undefined) throw new TypeError(`${at} ${NOT_OF_PROGRAMS}`);
    if (cannotSandbox !== null) throw new TypeError(`${at} are not possible, because ${cannotSandbox}`);
    if ((module.definition.workers?.count ?? 0) > 0) throw new TypeError(`${at} ${NOT_WITH_WORKERS}`);
  }
}

const NOT_OF_PROGRAMS = "have no effect on a program in another language, remove them";

/** The end of a sentence that begins with the setting's name. */
export const NOT_WITH_WORKERS =
  "are not possible with workers, because a process that starts workers may run Deno with every permission: " +
  "remove one of the two, or move the code to sandbox into a module without workers";

export interface Ordered {
  readonly name: string;
  readonly after: readonly string[];
}

/** Modules that can't be put in order. */
export class OrderError extends TypeError {
  override readonly name = "OrderError";
  readonly module: string;

  constructor(module: string, message: string) {
    super(message);
    this.module = module;
  }
}

/** @throws {OrderError} where a module comes after one that does not exist, or after itself by any way. */
export function startOrder(modules: readonly Ordered[]): string[] {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const order = new Set<string>();
  // Without recursion: a chain of modules may be longer than a stack.
  const way: { readonly module: Ordered; next: number }[] = [];
  const onWay = new Set<string>();
  const enter = (module: Ordered) => {
    if (order.has(module.name)) return;
    onWay.add(module.name);
    way.push({ module, next: 0 });
  };
  for (const first of modules) {
    enter(first);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const { module } = at;
      const name = module.after[at.next++];
      if (name === undefined) {
        order.add(module.name);
        onWay.delete(module.name);
        way.pop();
        continue;
      }
      const other = byName.get(name);
      if (other === undefined) throw missing(module.name, name, byName.keys());
      if (onWay.has(name)) throw circle(module.name, name, [...onWay]);
      enter(other);
    }
  }
  return [...order];
}

function missing(module: string, name: string, known: Iterable<string>): OrderError {
  const similar = closestMatch(name, known);
  const hint = similar === null ? "" : `, did you mean "${similar}"`;
  return new OrderError(module, `module "${module}" comes after "${name}", which does not exist${hint}`);
}

/** @param way the modules that wait, each for the next one. */
function circle(module: string, name: string, way: readonly string[]): OrderError {
  return new OrderError(
    module,
    `modules wait for each other: ${[...way.slice(way.indexOf(name)), name].join(" \u2192 ")}`,
  );
}
