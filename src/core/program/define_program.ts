/**
 * Programs of any language as modules: what they are made of, and the check where they are defined.
 *
 * @module
 */

import {
  checkName,
  checkSettings,
  type Commands,
  type Module,
  type ModuleSettings,
  newModule,
} from "../module/module.ts";
import { isRecord, withoutFields } from "../is_record.ts";
import { MODULE_SETTINGS } from "../module/known_keys.ts";
import { show } from "../show.ts";
import { keysOf, refuseUnknown } from "../unknown_key.ts";
import type { Framing } from "./framing.ts";
import type { NotificationHandler, ProgramPlan, RequestHandler } from "./program_plan.ts";
import { type ProtocolName, protocolOf, PROTOCOLS } from "./protocol.ts";

/** A program may have to be downloaded first, as with `npx -y`. */
const START_TIMEOUT_MS = 60_000;

/** The methods of a program, as far as their types are not known. */
export type ProgramCommands = Readonly<Record<string, (...params: unknown[]) => unknown>>;

const FOR_MODULES = ["commands", "workers", "start", "stop", "afterForkCleanup", "owns", "options", "permissions"];

/** What {@link defineProgram} takes. */
export interface ProgramDefinition extends Omit<ModuleSettings, "options" | "permissions"> {
  /** `[A-Za-z0-9._-]{1,64}`, different from all other names of the broker. */
  readonly name: string;
  /** The executable and its arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Milliseconds from the start of the program to the end of its `initialize` exchange. @default 60000 */
  readonly startTimeoutMs?: number;
  /** What it speaks on its standard input and output. @default "json-rpc" */
  readonly protocol?: ProtocolName;
  /** How messages are told apart, with protocol `json-rpc`. @default "newline" */
  readonly framing?: Framing;
  /** Parameters of the `initialize` request, with protocols `mcp` and `lsp`: each key over brokkr's own. @default {} */
  readonly initialize?: Readonly<Record<string, unknown>>;
  /** Answers to the program's own requests, by method. Any other one is answered with "method not found". */
  readonly requests?: Readonly<Record<string, RequestHandler>>;
  /** Called with the program's notifications, by method. All of them are events `program.notification` too. */
  readonly notifications?: Readonly<Record<string, NotificationHandler>>;
}

const PROGRAM_KEYS = [
  ...keysOf<Omit<ProgramDefinition, keyof ModuleSettings>>({
    name: true,
    command: true,
    protocol: true,
    framing: true,
    initialize: true,
    requests: true,
    notifications: true,
  }),
  ...MODULE_SETTINGS,
];

/**
 * Makes a module of a program in any language that speaks JSON-RPC 2.0 on its standard input and output. Its methods are called
 * like commands: one object as parameter travels by name, several travel as a list. They are never retried.
 *
 * @typeParam C the methods with their types, where calls shall know them.
 * @throws {TypeError} when a part of it is wrong; the message names the part.
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
export function programModule<C extends Commands>(value: object): Module<string, C> {
  const fields = new Map<string, unknown>(Object.entries(value));
  const name = checkName("The name of a program", fields.get("name"));
  const at = `Program "${name}"`;
  for (const key of FOR_MODULES) {
    if (fields.get(key) === undefined) continue;
    throw new TypeError(`${at}: ${key} is for modules of JavaScript only, remove it or "command"`);
  }
  const settings = Object.fromEntries(fields);
  refuseUnknown(at, settings, PROGRAM_KEYS);
  checkSettings(at, settings);
  return newModule(name, { startTimeoutMs: START_TIMEOUT_MS, ...settings, name }, programPlan(at, fields));
}

function programPlan(at: string, fields: ReadonlyMap<string, unknown>): ProgramPlan {
  const protocol = protocolIn(at, fields.get("protocol") ?? "json-rpc");
  const [framing, initialize] = [fields.get("framing"), fields.get("initialize")];
  if (framing !== undefined && protocol !== "json-rpc") {
    throw new TypeError(`${at}: framing is set by protocol "${protocol}", remove it`);
  }
  if (initialize !== undefined && protocol === "json-rpc") {
    throw new TypeError(`${at}: initialize needs protocol "mcp" or "lsp", and it is "json-rpc"`);
  }
  return {
    command: commandIn(at, fields.get("command")),
    protocol,
    framing: framing === undefined ? protocolOf(protocol).framing : framingIn(at, framing),
    initialize: recordIn(`${at}: initialize`, initialize),
    requests: handlersIn(`${at}: requests`, fields.get("requests")),
    notifications: handlersIn(`${at}: notifications`, fields.get("notifications")),
  };
}

function commandIn(at: string, command: unknown): readonly string[] {
  const isList = Array.isArray(command) && command.length > 0 && command.every((part) => typeof part === "string");
  if (isList && command[0] !== "" && !command.some((part: string) => part.includes("\0"))) return [...command];
  throw new TypeError(`${at}: command must be a list of an executable and its arguments, and it is ${show(command)}`);
}

function protocolIn(at: string, protocol: unknown): ProtocolName {
  const found = PROTOCOLS.find((name) => name === protocol);
  if (found !== undefined) return found;
  throw new TypeError(`${at}: protocol must be one of ${PROTOCOLS.join(", ")}, and it is ${show(protocol)}`);
}

function framingIn(at: string, framing: unknown): Framing {
  if (framing === "newline" || framing === "content-length") return framing;
  throw new TypeError(`${at}: framing must be "newline" or "content-length", and it is ${show(framing)}`);
}

function recordIn(what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw new TypeError(`${what} must be an object, and it is ${show(value)}`);
  const other = withoutFields(value);
  if (other !== null) throw new TypeError(`${what} must be a plain object, and it is ${other}`);
  return value;
}

type AnyHandler = (...params: readonly unknown[]) => unknown;

function handlersIn(what: string, value: unknown): ReadonlyMap<string, AnyHandler> {
  const handlers = new Map<string, AnyHandler>();
  for (const [method, handler] of Object.entries(recordIn(what, value))) {
    if (!isFunction(handler)) {
      throw new TypeError(`${what}: "${method}" must be a function, and it is ${show(handler)}`);
    }
    handlers.set(method, handler);
  }
  return handlers;
}

function isFunction(value: unknown): value is AnyHandler {
  return typeof value === "function";
}
