/** The keys of brokkr.json: the settings of brokers, modules and programs, and what only a file has; and which are right by themselves and wrong together. */

import { NOT_WITH_WORKERS } from "../../core/broker/options.ts";
import {
  BROKER,
  type BrokerSettings,
  CLUSTER,
  type ClusterSettings,
  MODULE,
  type ModuleSettings,
  PROGRAM,
  type ProgramSettings,
} from "../../core/settings/settings.ts";
import type { Rows, Wrong } from "../../core/settings/table.ts";
import { againstProtocol, ARGS_TWICE, wrongReady } from "../../core/module/program.ts";
import type { Runtime } from "../../runtime/runtime.ts";

/** The file as a whole. */
export interface FileKeys extends Omit<BrokerSettings, "logLevel" | "aligned"> {
  readonly $schema?: string;
  readonly load?: "own" | "all";
  /** Each has {@linkcode ModuleKeys} or {@linkcode ProgramKeys}. */
  readonly modules: Readonly<Record<string, unknown>>;
  readonly log?: LogKeys;
  readonly cluster?: ClusterSettings;
}

export interface LogKeys {
  readonly level?: NonNullable<BrokerSettings["logLevel"]>;
  readonly file?: string;
  readonly maxBytes?: number;
  readonly keep?: number;
  readonly aligned?: boolean;
}

export interface ModuleKeys extends ModuleSettings {
  readonly path: string;
  readonly workers?: number;
}

/** A program in another language: it has `command` in place of `path`. */
export type ProgramKeys = ProgramSettings;

export const LOG = {
  level: BROKER.logLevel,
  file: {
    is: "text",
    what: "a path",
    otherwise: "standard error",
    about: "The log file, relative to the configuration's folder",
  },
  maxBytes: {
    is: "number",
    unit: "bytes",
    whole: true,
    least: 1_024,
    default: 10_000_000,
    about: "Bytes at which brokkr rotates the file",
  },
  keep: { is: "number", whole: true, least: 1, default: 5, about: "How many rotated files brokkr keeps" },
  aligned: BROKER.aligned,
} satisfies Rows<LogKeys>;

const { name, call, logLevel: _logLevel, aligned: _aligned, ...others } = BROKER;

export const FILE = {
  $schema: {
    is: "text",
    what: "a text",
    otherwise: "none",
    about: "Where the JSON Schema is, for editors; brokkr does not read it",
  },
  name,
  call,
  load: {
    is: "choice",
    of: { own: true, all: true },
    default: "own",
    alsoCalled: "image",
    about:
      "What a new process loads: only its own module's file, or the files of all modules, after which it cleans up",
  },
  modules: {
    is: "object",
    what: "an object of modules by name",
    needed: true,
    about: "The modules by name, in the order of their start",
  },
  log: { is: "group", keys: LOG, about: "Where the log lines go" },
  cluster: { is: "group", keys: CLUSTER, about: "The cluster to join, with brokers on other machines" },
  ...others,
} satisfies Rows<FileKeys>;

export const MODULE_KEYS = {
  path: {
    is: "text",
    what: "the path of the module's file",
    needed: true,
    about: "The module's file, in the configuration's folder or below it, or a package in node_modules",
  },
  workers: { is: "number", whole: true, least: 0, otherwise: "what the module's file says", about: "How many workers" },
  ...MODULE,
} satisfies Rows<ModuleKeys>;

export const PROGRAM_KEYS = {
  ...PROGRAM,
  cwd: { is: "text", what: MODULE.cwd.what, default: ".", about: MODULE.cwd.about },
} satisfies Rows<ProgramKeys>;

export function contradictions(
  module: ModuleKeys | ProgramKeys,
  { cannotSandbox, cannotTakeFlags }: Pick<Runtime, "cannotSandbox" | "cannotTakeFlags">,
): Wrong[] {
  const hasFlags = "path" in module && module.runtimeArgs !== undefined;
  const text = `are not possible, because ${cannotTakeFlags}`;
  const untaken = hasFlags && cannotTakeFlags !== null ? [{ path: ["runtimeArgs"], part: "value", text } as const] : [];
  return [...untaken, ...unkept(module, cannotSandbox)];
}

function unkept(module: ModuleKeys | ProgramKeys, cannotSandbox: string | null): Wrong[] {
  if (!("path" in module) || module.permissions === undefined) return [];
  const { workers = 0 } = module;
  const why = cannotSandbox === null
    ? workers > 0 ? NOT_WITH_WORKERS : null
    : `are not possible, because ${cannotSandbox}`;
  return why === null ? [] : [{ path: ["permissions"], part: "value", text: why }];
}

/** Keys of a program that go with its protocol only, and what is wrong with each. */
export function programContradictions(program: ProgramKeys): (readonly [key: string, text: string])[] {
  const { command, args, protocol = "json-rpc", framing, initialize, ready } = program;
  const found: [key: string, text: string][] = [];
  if (args !== undefined && typeof command !== "string") found.push(["args", ARGS_TWICE]);
  const against = againstProtocol(protocol, (key) => key in program);
  if (against !== null) found.push([against.key, against.text]);
  const wrong = ready === undefined ? null : wrongReady(ready);
  if (wrong !== null) found.push(["ready", wrong]);
  if (protocol === "none") return found;
  if (framing !== undefined && protocol !== "json-rpc") {
    found.push(["framing", `framing is set by protocol "${protocol}", remove it`]);
  }
  if (initialize !== undefined && protocol === "json-rpc") {
    found.push(["initialize", 'initialize is for protocol "mcp" or "lsp" only, set one of them or remove it']);
  }
  return found;
}
