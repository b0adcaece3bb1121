/** The keys of brokkr.json: the settings of brokers, modules and programs, and what only a file has. */

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
import type { Rows } from "../../core/settings/table.ts";

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

/** A program of another language: it has `command` in place of `path`. */
export type ProgramKeys = ProgramSettings;

export const LOG = {
  level: BROKER.logLevel,
  file: {
    is: "text",
    what: "a path",
    otherwise: "standard error",
    about: "The file of the log, relative to the configuration's folder",
  },
  maxBytes: {
    is: "number",
    unit: "bytes",
    whole: true,
    least: 1_024,
    default: 10_000_000,
    about: "Bytes at which the file is rotated",
  },
  keep: { is: "number", whole: true, least: 1, default: 5, about: "How many rotated files are kept" },
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
      "What a new process loads: only the file of its own module, or those of all modules, which it then cleans up",
  },
  modules: {
    is: "object",
    what: "an object of modules by name",
    needed: true,
    about: "The modules by name, in the order of their start",
  },
  log: { is: "group", keys: LOG, about: "Where the log lines go" },
  cluster: { is: "group", keys: CLUSTER, about: "The cluster that the broker is a member of, with brokers elsewhere" },
  ...others,
} satisfies Rows<FileKeys>;

export const MODULE_KEYS = {
  path: {
    is: "text",
    what: "the path of the module's file",
    needed: true,
    about: "The module's file, in the configuration's folder or below it, or of a package in node_modules",
  },
  workers: { is: "number", whole: true, least: 0, otherwise: "what the module's file says", about: "How many workers" },
  ...MODULE,
} satisfies Rows<ModuleKeys>;

export const PROGRAM_KEYS = {
  ...PROGRAM,
  cwd: { is: "text", what: MODULE.cwd.what, default: ".", about: MODULE.cwd.about },
} satisfies Rows<ProgramKeys>;
