import type {
  CallContext,
  CheckedModule,
  Commands,
  Handler,
  Module,
  ModuleDefinition,
  ProgramPlan,
  WorkersDefinition,
} from "./definition.ts";
import { canDispose } from "./dispose.ts";
import { inspect, isRecord, keysOf, refuseUnknown, unknownName, withoutFields } from "../checks.ts";
import { MODULE, type ModuleSettings } from "../settings/settings.ts";
import { checkName, checkTable } from "../settings/table.ts";

/**
 * Defines a module: checks it at once, and carries the types of its commands to their calls.
 *
 * @throws {TypeError} if a part of the definition is wrong; the message names the part.
 * @example
 * ```ts
 * import { defineModule } from "brokkr";
 *
 * const history = new Map([["2021-10", { uptime: 99.7 }]]);
 * const commands = { get_report: (month: string) => history.get(month) };
 * export const sla = defineModule({ name: "sla", commands, owns: [history] });
 * ```
 */
export function defineModule<
  const N extends string,
  // What is written in place has the call's context as `this`, and without commands the compiler has none to infer them from.
  C extends Commands & ThisType<CallContext>,
  W extends Commands & ThisType<CallContext>,
  O = unknown,
>(
  definition: ModuleDefinition<N, C, W, O>,
): Module<
  N,
  string extends keyof C ? Record<never, never> : C,
  string extends keyof W ? Record<never, never> : W
> {
  assertDefinition(definition);
  return made(definition.name, definition);
}

/** A module of another broker: only its name, and the types of its commands. */
export interface RemoteModule<M extends Module = Module> extends Module {
  /** For the compiler only, absent at run time. */
  readonly "~types"?: NonNullable<M["~types"]>;
}

/**
 * A module of another broker of the cluster, for typed calls. Import its file as a type only, so that nothing of it is loaded.
 *
 * @param name the module's name, or `NAME@NODE` for the module of that node only.
 * @example
 * ```ts
 * import { type Broker, remote } from "brokkr";
 * import type { sla } from "../../../examples/monitoring/sla.ts";
 *
 * export function months(broker: Broker): Promise<{ months: number }> {
 *   return broker.call(remote<typeof sla>("sla"), "get_module_info");
 * }
 * ```
 */
export function remote<M extends Module>(name: M["name"] | `${M["name"]}@${string}`): RemoteModule<M> {
  return Object.freeze({ name, definition: { name } });
}

/** Takes a module as `defineModule` made it, or a plain object of the same shape. */
export function toModule(value: unknown): CheckedModule {
  if (isModule(value)) return value;
  assertDefinition(value);
  return made(value.name, value);
}

/** Known to every copy of the library: a program and its module files may have one each. */
const CHECKED = Symbol.for("brokkr.module");

/** A checked module of a program in another language. */
export function newModule<C extends Commands>(
  name: string,
  definition: ModuleDefinition,
  program: ProgramPlan,
): CheckedModule<C> {
  return Object.freeze({ name, definition, program, [CHECKED]: true });
}

function made<N extends string, C extends Commands, W extends Commands>(
  name: N,
  definition: ModuleDefinition,
): Module<N, C, W> {
  return Object.freeze({ name, definition, [CHECKED]: true });
}

function isModule(value: unknown): value is CheckedModule {
  return typeof value === "object" && value !== null && CHECKED in value;
}

function assertDefinition(value: unknown): asserts value is ModuleDefinition {
  if (!isRecord(value)) throw new TypeError(`A module must be an object, and it is ${inspect(value)}`);
  const name = checkName("The name of a module", value["name"]);
  const at = `Module "${name}"`;
  refuseUnknown(at, value, [...PARTS, ...Object.keys(MODULE)]);
  checkCommands(`${at}: commands`, value["commands"]);
  for (const hook of ["afterForkCleanup", "start", "stop"]) checkOptionalFunction(`${at}: ${hook}`, value[hook]);
  checkOwns(at, value["owns"]);
  checkExpected(at, value["expected"]);
  checkWorkers(at, value["workers"]);
  checkSchema(at, value["optionsSchema"]);
  checkTable(`${at}: `, MODULE, settingsOf(value));
  const stranger = strangeCall(value, value["calls"]);
  if (stranger !== null) throw new TypeError(`${at}: calls: ${stranger.text}`);
}

/**
 * The first command that `calls` names and the module has not, and what is wrong with it; null where there is none, or where only the
 * module's process knows its commands.
 */
export function strangeCall(
  { commands, workers }: { readonly commands?: unknown; readonly workers?: unknown },
  calls: unknown,
): { readonly command: string; readonly text: string } | null {
  const ofWorkers = isRecord(workers) ? workers["commands"] : {};
  if (!isRecord(calls) || !isRecord(commands) || !isRecord(ofWorkers)) return null;
  const known = [...Object.keys(commands), ...Object.keys(ofWorkers)];
  const command = Object.keys(calls).find((name) => !known.includes(name));
  return command === undefined ? null : { command, text: unknownName("command", command, known) };
}

/** What a module is made of beside its settings. */
const PARTS = keysOf<Omit<ModuleDefinition, keyof ModuleSettings>>({
  name: true,
  commands: true,
  workers: true,
  optionsSchema: true,
  owns: true,
  expected: true,
  afterForkCleanup: true,
  start: true,
  stop: true,
});

const WORKERS_KEYS = keysOf<WorkersDefinition>({ count: true, commands: true, afterForkCleanup: true });

/** The settings among the keys of a definition. */
export function settingsOf(definition: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.keys(MODULE).map((key) => [key, definition[key]]));
}

function checkCount(what: string, value: unknown, least: number): void {
  if (value === undefined || (typeof value === "number" && Number.isInteger(value) && value >= least)) return;
  throw new TypeError(`${what} must be a whole number of at least ${least}, and it is ${inspect(value)}`);
}

function checkCommands(what: string, commands: unknown): void {
  if (commands === undefined || typeof commands === "function") return;
  commandMap(what, commands);
}

/** Commands by name, from an object's own properties. @throws {TypeError} */
export function commandMap(what: string, commands: unknown): Map<string, Handler> {
  if (!isRecord(commands)) {
    throw new TypeError(
      `${what} must be an object of functions or a function that returns one, and is ${inspect(commands)}`,
    );
  }
  const other = withoutFields(commands);
  if (other !== null) {
    throw new TypeError(
      `${what} must be a plain object of functions, and it is ${other}: write each as { hello: (name) => it.hello(name) }`,
    );
  }
  const map = new Map<string, Handler>();
  for (const [name, handler] of Object.entries(commands)) {
    if (!isHandler(handler)) {
      throw new TypeError(`${what}: "${name}" must be a function, and it is ${inspect(handler)}`);
    }
    map.set(name, handler);
  }
  return map;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

function checkOptionalFunction(what: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new TypeError(`${what} must be a function, and it is ${inspect(value)}`);
}

/** A schema may be a function. */
function checkSchema(at: string, schema: unknown): void {
  if (schema === undefined) return;
  const standard: unknown = schema instanceof Object ? Reflect.get(schema, "~standard") : undefined;
  if (isRecord(standard) && typeof standard["validate"] === "function") return;
  throw new TypeError(`${at}: optionsSchema must follow Standard Schema, and it is ${inspect(schema)}`);
}

function checkOwns(at: string, owns: unknown): void {
  if (owns === undefined) return;
  if (!Array.isArray(owns)) throw new TypeError(`${at}: owns must be a list, and it is ${inspect(owns)}`);
  owns.forEach((resource, index) => {
    if (!canDispose(resource)) {
      throw new TypeError(
        `${at}: owns[${index}] must have Symbol.asyncDispose, Symbol.dispose, close(), destroy(), end() or clear(), ` +
          `or be a function, and it is ${inspect(resource)}`,
      );
    }
  });
}

function checkExpected(at: string, expected: unknown): void {
  if (expected === undefined) return;
  const what = (value: unknown) => typeof value === "function" ? "a function" : inspect(value);
  if (!Array.isArray(expected)) {
    throw new TypeError(`${at}: expected must be a list of classes, and it is ${what(expected)}`);
  }
  expected.forEach((value: unknown, index) => {
    if (typeof value === "function" && isRecord(value.prototype)) return;
    throw new TypeError(`${at}: expected[${index}] must be a class of errors, and it is ${what(value)}`);
  });
}

function checkWorkers(at: string, workers: unknown): void {
  if (workers === undefined) return;
  if (!isRecord(workers)) throw new TypeError(`${at}: workers must be an object, and it is ${inspect(workers)}`);
  refuseUnknown(`${at}: workers`, workers, WORKERS_KEYS);
  if (workers["count"] === undefined) throw new TypeError(`${at}: workers.count is missing`);
  checkCount(`${at}: workers.count`, workers["count"], 0);
  checkCommands(`${at}: workers.commands`, workers["commands"]);
  checkOptionalFunction(`${at}: workers.afterForkCleanup`, workers["afterForkCleanup"]);
}
