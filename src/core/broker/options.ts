/**
 * What `Broker.start` takes, checked.
 *
 * @module
 */

import { type AnyModule, anyModule } from "../module/any_module.ts";
import type { LogFunction } from "../log/broker_log.ts";
import { levelFrom, LEVELS } from "../log/level.ts";
import type { LogLevel } from "../log/record.ts";
import { MODULE_SETTINGS } from "../module/known_keys.ts";
import { checkName, checkSettings, type Commands, type Module, type ModuleSettings } from "../module/module.ts";
import { type Ordered, startOrder } from "./order.ts";
import { isTimeout, wrongTimeout } from "../call/call.ts";
import { isRecord, withoutFields } from "../is_record.ts";
import { show } from "../show.ts";
import { processName } from "../child/role.ts";
import { keysOf, refuseUnknown } from "../unknown_key.ts";

/** Options of `Broker.start`: the keys of `brokkr.json` that concern a program, and what only a program can give. */
export interface BrokerOptions {
  /** Name of the broker, as it stands in the log lines. `[A-Za-z0-9._-]{1,64}` */
  readonly name: string;
  /** What `defineModule` and `defineProgram` returned, or plain objects of the same shape, in the order of their start. */
  readonly modules: readonly AnyModule[];
  /** What a new process loads: that of a program always all modules. `"own"` needs a configuration. */
  readonly image?: "all";
  /** Settings by module name, over those that stand in `defineModule`. */
  readonly settings?: Readonly<Record<string, ModuleSettings>>;
  /** Defaults of all calls. */
  readonly call?: {
    /** Milliseconds for one attempt. @default 1000 */
    readonly timeoutMs?: number;
    /** Whether a call that got no answer in time is sent a second time. @default "once" */
    readonly retry?: "once" | "never";
  };
  /**
   * How many processes start at once, those of workers, restarts and reloads among them: the others wait for their turn.
   * @default the number of processors, at least 2
   */
  readonly startConcurrency?: number;
  /** What modules may call on the broker by its name: `ctx.call("broker-master", …)`. @default none */
  readonly commands?: Commands;
  /** URL or path of the program that a new process runs; it must reach the same `Broker.start`. @default the main module */
  readonly program?: URL | string;
  /** Gets every record from `logLevel` up, in the broker's process. @default prints `lines()` to standard error */
  readonly log?: LogFunction;
  /** The least level that is logged. @default the environment variable `BROKKR_LOG`, else "info" */
  readonly logLevel?: LogLevel;
  /** Pads levels and names of the log lines into columns. @default false */
  readonly aligned?: boolean;
  /** Name of the product in the cleanup's lines. @default "Shinken" */
  readonly product?: string;
  /** Whether the command line can reach the broker. @default false, and true under `brokkr run` */
  readonly control?: boolean;
  /**
   * Whether what a broker of this name left behind when it was killed is ended at the start. For it the broker keeps a small file in
   * its private folder. @default true
   */
  readonly sweep?: boolean;
  /** Whether SIGINT and SIGTERM drain the broker and end the process. @default false, and true under `brokkr run` */
  readonly signals?: boolean;
}

/** A module with the settings it runs under. */
export interface ModulePlan {
  readonly module: Module;
  readonly settings: ModuleSettings;
}

/** Checked options with their defaults. */
export interface BrokerPlan {
  readonly name: string;
  readonly modules: readonly ModulePlan[];
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  readonly startConcurrency: number | undefined;
  readonly commands: Commands;
  readonly program: string | undefined;
  readonly log: LogFunction | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly aligned: boolean;
  readonly product: string;
  readonly sweep: boolean;
  readonly control: boolean | undefined;
  readonly signals: boolean | undefined;
}

const OPTIONS = keysOf<BrokerOptions>({
  name: true,
  modules: true,
  image: true,
  settings: true,
  call: true,
  startConcurrency: true,
  commands: true,
  program: true,
  log: true,
  logLevel: true,
  aligned: true,
  product: true,
  control: true,
  sweep: true,
  signals: true,
});

const CALL_OPTIONS = keysOf<NonNullable<BrokerOptions["call"]>>({ timeoutMs: true, retry: true });

export function orderedModule({ module, settings }: ModulePlan): Ordered {
  return { name: module.name, after: settings.after ?? [] };
}

/** @throws {TypeError} that names the option, what it is and what it should be. */
export function checkOptions(options: BrokerOptions): BrokerPlan {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Options must be an object with name and modules, and are ${String(options)}`);
  }
  refuseUnknown("Options of the broker", options, OPTIONS);
  const name = checkName("Option name", options.name);
  if (!Array.isArray(options.modules)) throw new TypeError("Option modules must be a list of modules");
  checkByName(options.settings);
  const settings = new Map(Object.entries(options.settings ?? {}));
  const modules = options.modules.map(anyModule).map((module) => {
    const over = settings.get(module.name) ?? {};
    settings.delete(module.name);
    refuseUnknown(`Option settings: module "${module.name}"`, over, MODULE_SETTINGS);
    checkSettings(`Option settings: module "${module.name}"`, { ...over });
    return { module, settings: { ...module.definition, ...over } };
  });
  const [stranger] = settings.keys();
  if (stranger !== undefined) {
    throw new TypeError(`Option settings: there is no module "${stranger}"`);
  }
  checkDistinct(name, modules);
  startOrder(modules.map(orderedModule));
  const { timeoutMs, retry } = checkCall(options.call);
  checkStartConcurrency(options.startConcurrency);
  checkProgram(options);
  if (options.logLevel !== undefined && levelFrom(options.logLevel) === undefined) {
    throw new TypeError(`Option logLevel must be one of ${LEVELS.join(", ")}, and it is ${String(options.logLevel)}`);
  }
  return {
    name,
    modules,
    timeoutMs,
    retry,
    startConcurrency: options.startConcurrency,
    commands: options.commands ?? {},
    program: options.program === undefined || typeof options.program === "string"
      ? options.program
      : options.program.href,
    log: options.log,
    logLevel: options.logLevel,
    aligned: options.aligned ?? false,
    product: options.product ?? "Shinken",
    sweep: options.sweep ?? true,
    control: options.control,
    signals: options.signals,
  };
}

function checkCall(call: BrokerOptions["call"] = {}): Pick<BrokerPlan, "timeoutMs" | "retry"> {
  if (!isRecord(call)) throw new TypeError(`Option call must be an object, and it is ${show(call)}`);
  refuseUnknown("Option call", call, CALL_OPTIONS);
  const { timeoutMs = 1_000, retry = "once" } = call;
  checkTimeout("Option call.timeoutMs", timeoutMs);
  if (retry === "once" || retry === "never") return { timeoutMs, retry };
  throw new TypeError(`Option call.retry must be "once" or "never", and it is ${String(retry)}`);
}

function checkStartConcurrency(value: unknown): void {
  if (value === undefined || (typeof value === "number" && Number.isInteger(value) && value >= 1)) return;
  throw new TypeError(`Option startConcurrency must be a whole number of at least 1, and it is ${show(value)}`);
}

/** What means something else in a configuration. */
function checkProgram({ image, log }: { readonly image?: unknown; readonly log?: unknown }): void {
  if (image !== undefined && image !== "all") {
    throw new TypeError(`Option image must be "all", as in every program, and it is ${show(image)}`);
  }
  if (log === undefined || typeof log === "function") return;
  throw new TypeError(`Option log must be a function that gets each record, and it is ${show(log)}`);
}

function checkByName(settings: unknown): void {
  if (settings === undefined) return;
  const what = isRecord(settings) ? withoutFields(settings) : show(settings);
  if (!isRecord(settings) || what !== null) {
    throw new TypeError(`Option settings must be an object of settings by module name, and it is ${what}`);
  }
}

/** @throws {TypeError} */
export function checkTimeout(what: string, value: unknown): void {
  if (!isTimeout(value)) throw wrongTimeout(what, value);
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
