/** Programs of any language as modules: what they are made of, and the check where they are defined. */

import { inspect, isRecord, keysOf, refuseUnknown, withoutFields } from "../checks.ts";
import { newModule, settingsOf } from "./module.ts";
import type {
  CheckedModule,
  Commands,
  Module,
  ModuleDefinition,
  NotificationHandler,
  ProgramPlan,
  RequestHandler,
} from "./definition.ts";
import type { Endpoint } from "../../runtime/runtime.ts";
import {
  type Framing,
  MODULE,
  PROGRAM,
  type ProgramSettings,
  type ProtocolName,
  type ReadySettings,
} from "../settings/settings.ts";
import { checkName, checkTable } from "../settings/table.ts";

/** The methods of a program whose types are unknown. */
export type ProgramCommands = Readonly<Record<string, (...params: unknown[]) => unknown>>;

const FOR_MODULES = [
  "commands",
  "workers",
  "start",
  "stop",
  "afterForkCleanup",
  "owns",
  "options",
  "permissions",
  "runtimeArgs",
];

/** The parameter of {@link defineProgram}. */
export interface ProgramDefinition extends ProgramSettings {
  /** `[A-Za-z0-9._-]{1,64}`, different from all other names of the broker. */
  readonly name: string;
  /** Handlers of the program's own requests, by method. brokkr answers any other one with "method not found". @default none */
  readonly requests?: Readonly<Record<string, RequestHandler>>;
  /** Handlers of the program's notifications, by method. Each notification is an event `program.notification` too. @default none */
  readonly notifications?: Readonly<Record<string, NotificationHandler>>;
}

/** What `defineModule` or `defineProgram` returns, or a plain object of the same shape. */
export type AnyModule = Module | ModuleDefinition | ProgramDefinition;

/**
 * Defines a module that runs a program in any language: one that speaks JSON-RPC 2.0, MCP or LSP on its standard input and output, or a
 * daemon or job. You call its methods like commands: a single object as parameter travels by name, several parameters as a list. By
 * default calls are not retried.
 *
 * @typeParam C the types of the methods, for typed calls.
 * @throws {TypeError} if a part of the definition is wrong; the message names the part.
 * @example
 * ```ts
 * import { defineProgram } from "brokkr";
 *
 * export const everything = defineProgram({
 *   name: "everything",
 *   command: ["npx", "-y", "@modelcontextprotocol/server-everything"],
 *   protocol: "mcp",
 *   notifications: { "notifications/message": (params) => console.error(params) },
 * });
 * ```
 */
export function defineProgram<C extends Commands = ProgramCommands>(definition: ProgramDefinition): Module<string, C> {
  return programModule(definition);
}

/** The same, for a value whose shape nobody has checked. @throws {TypeError} */
export function programModule<C extends Commands>(value: object): CheckedModule<C> {
  if (!isRecord(value)) throw new TypeError(`A program must be an object, and it is ${inspect(value)}`);
  const fields = new Map<string, unknown>(Object.entries(value));
  const name = checkName("The name of a program", fields.get("name"));
  const at = `Program "${name}"`;
  for (const key of FOR_MODULES) {
    if (fields.get(key) === undefined) continue;
    throw new TypeError(`${at}: ${key} is for JavaScript modules only, remove it or "command"`);
  }
  const settings = Object.fromEntries(fields);
  refuseUnknown(at, settings, [...PARTS, ...Object.keys(PROGRAM)]);
  checkTable(`${at}: `, MODULE, settingsOf(settings));
  const late = settings["startTimeoutMs"] === undefined ? { startTimeoutMs: PROGRAM.startTimeoutMs.default } : {};
  return newModule(name, { ...settings, ...late, name }, programPlan(at, fields));
}

/** What a program is made of beside its settings. */
const PARTS = keysOf<Omit<ProgramDefinition, keyof ProgramSettings>>({
  name: true,
  requests: true,
  notifications: true,
});

const FRAMINGS: Readonly<Record<ProtocolName, Framing>> = {
  "json-rpc": "newline",
  mcp: "newline",
  lsp: "content-length",
  none: "newline",
};

/** What only a program that takes calls has. */
const OF_CALLS = ["concurrency", "queue", "timeoutMs", "retry", "calls", "heartbeat", "requests", "notifications"];

/** A key that does not go with the protocol, and what follows it in the message; null where all do. */
export function againstProtocol(
  protocol: ProtocolName,
  has: (key: string) => boolean,
): { readonly key: string; readonly text: string } | null {
  if (protocol !== "none") {
    return has("ready") ? { key: "ready", text: 'ready is for protocol "none" only, remove it' } : null;
  }
  const key = ["framing", "initialize", ...OF_CALLS].find(has);
  return key === undefined
    ? null
    : { key, text: `${key} is for programs that take calls, and protocol "none" takes none: remove it` };
}

/** What is wrong with `ready` as a whole; null where nothing is. */
export function wrongReady({ tcp, http }: ReadySettings): string | null {
  return (tcp === undefined) === (http === undefined) ? "ready must have either tcp or http" : null;
}

function programPlan(at: string, fields: ReadonlyMap<string, unknown>): ProgramPlan {
  const protocol = protocolIn(at, fields.get("protocol") ?? "json-rpc");
  const against = againstProtocol(protocol, (key) => fields.get(key) !== undefined);
  if (against !== null) throw new TypeError(`${at}: ${against.text}`);
  const [framing, initialize] = [fields.get("framing"), fields.get("initialize")];
  if (framing !== undefined && protocol !== "json-rpc") {
    throw new TypeError(`${at}: framing is set by protocol "${protocol}", remove it`);
  }
  if (initialize !== undefined && protocol === "json-rpc") {
    throw new TypeError(`${at}: initialize needs protocol "mcp" or "lsp", and it is "json-rpc"`);
  }
  return {
    command: commandIn(at, fields.get("command"), fields.get("args")),
    protocol,
    framing: framing === undefined ? FRAMINGS[protocol] : framingIn(at, framing),
    initialize: recordIn(`${at}: initialize`, initialize),
    ready: readyIn(at, fields.get("ready")),
    requests: handlersIn(`${at}: requests`, fields.get("requests")),
    notifications: handlersIn(`${at}: notifications`, fields.get("notifications")),
  };
}

function commandIn(at: string, command: unknown, args: unknown): readonly string[] {
  const { command: row, args: ofArgs } = PROGRAM;
  checkTable(`${at}: `, { command: row, args: ofArgs }, { command, args });
  const [list, more] = [textsIn(command), textsIn(args)];
  if (typeof command === "string") return [command, ...more];
  if (args !== undefined) throw new TypeError(`${at}: ${ARGS_TWICE}`);
  return list;
}

/** What is wrong with `args` beside a list. */
export const ARGS_TWICE = "args is for a command that is the executable alone, add it to the list";

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function readyIn(at: string, ready: unknown): Endpoint | null {
  if (ready === undefined) return null;
  checkTable(`${at}: `, { ready: PROGRAM.ready }, { ready });
  const { tcp, http }: ReadySettings = isRecord(ready) ? ready : {};
  const wrong = wrongReady({ ...(tcp === undefined ? {} : { tcp }), ...(http === undefined ? {} : { http }) });
  if (wrong !== null) throw new TypeError(`${at}: ${wrong}`);
  return http === undefined ? { kind: "tcp", at: tcp ?? "" } : { kind: "http", at: http };
}

function protocolIn(at: string, protocol: unknown): ProtocolName {
  if (isProtocol(protocol)) return protocol;
  const names = Object.keys(PROGRAM.protocol.of).join(", ");
  throw new TypeError(`${at}: protocol must be one of ${names}, and it is ${inspect(protocol)}`);
}

function isProtocol(value: unknown): value is ProtocolName {
  return typeof value === "string" && Object.hasOwn(PROGRAM.protocol.of, value);
}

function framingIn(at: string, framing: unknown): Framing {
  if (framing === "newline" || framing === "content-length") return framing;
  throw new TypeError(`${at}: framing must be "newline" or "content-length", and it is ${inspect(framing)}`);
}

function recordIn(what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw new TypeError(`${what} must be an object, and it is ${inspect(value)}`);
  const other = withoutFields(value);
  if (other !== null) throw new TypeError(`${what} must be a plain object, and it is ${other}`);
  return value;
}

type AnyHandler = (...params: readonly unknown[]) => unknown;

function handlersIn(what: string, value: unknown): ReadonlyMap<string, AnyHandler> {
  const handlers = new Map<string, AnyHandler>();
  for (const [method, handler] of Object.entries(recordIn(what, value))) {
    if (!isFunction(handler)) {
      throw new TypeError(`${what}: "${method}" must be a function, and it is ${inspect(handler)}`);
    }
    handlers.set(method, handler);
  }
  return handlers;
}

function isFunction(value: unknown): value is AnyHandler {
  return typeof value === "function";
}
