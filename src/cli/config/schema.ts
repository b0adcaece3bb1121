/**
 * The keys of a configuration: what each is, its default, and what may stand there. `schema/brokkr.schema.json` and the tables of
 * docs/configuration.md are made of it by `deno task schema`.
 *
 * @module
 */

import * as v from "valibot";
import { PROTOCOLS } from "../../core/program/protocol.ts";
import {
  callSchema,
  heartbeatSchema,
  logSchema,
  memorySchema,
  outputSchema,
  permissionsSchema,
  policy,
  restartSchema,
} from "./schema_groups.ts";
import { count, flag, group, key, list, milliseconds, name, needed, oneOf, shortOr, text } from "./schema_values.ts";

const supervisionEntries = {
  restart: key(
    shortOr(policy, restartSchema),
    "When and how a process that ended is started again; a text is its policy",
    { default: "on-failure" },
  ),
  startTimeoutMs: key(
    milliseconds,
    "Milliseconds from the start of a process to its first sign of life, and again for the module's start hook",
    { default: 10_000 },
  ),
  drainMs: key(milliseconds, "Milliseconds for finishing calls and the stop hook; then comes SIGTERM", {
    default: 5_000,
  }),
  killMs: key(milliseconds, "Milliseconds from SIGTERM to SIGKILL", { default: 2_000 }),
  after: key(
    list(text("the name of a module"), "a list of names of modules"),
    "Modules that this one starts after, when they are ready, and stops before",
    { otherwise: "none" },
  ),
  heartbeat: key(heartbeatSchema, "How it is told that a process hangs"),
  memory: key(memorySchema, "Limits for the private memory of each process"),
};

const variable = text("the name of an environment variable");

const processEntries = {
  env: key(
    list(variable, "a list of names of environment variables"),
    "Environment variables that only this module's processes keep",
    { otherwise: "none" },
  ),
  concurrency: key(count(1), "Calls that one process of the module runs at the same time", { otherwise: "no limit" }),
  queue: key(count(0), "Calls that may wait for one process of the module", { default: 20_000 }),
  descendants: key(oneOf(["kill", "keep"]), "Whether the processes that the module started go with it", {
    default: "kill",
  }),
  output: key(outputSchema, "How much of what each stream of the module's processes prints is logged"),
};

const workingDirectory = "Working directory of the module's processes, relative to the configuration's folder";

export const moduleSchema = group({
  path: needed(text("the path of the module's file"), "The module's file, in the configuration's folder or below it"),
  workers: key(count(0), "How many workers", { otherwise: "what the module's file says" }),
  options: key(v.unknown(), "Free for the module: ctx.options", { otherwise: "null" }),
  cwd: key(text("a path"), workingDirectory, { otherwise: "the broker's" }),
  permissions: key(
    permissionsSchema,
    "What the module's process may do, in Deno only and without workers: what is not named is denied",
    { otherwise: "what the broker may do" },
  ),
  ...supervisionEntries,
  ...processEntries,
});

const COMMAND = "a list of an executable and its arguments";

/** A module that is a program of another language: it has `command` in place of `path`. */
export const programSchema = group({
  command: needed(
    v.pipe(
      list(v.pipe(v.string("a text"), v.check((part) => !part.includes("\0"), "a text without NUL")), COMMAND),
      v.check(([executable = ""]) => executable !== "", COMMAND),
    ),
    "The executable, which is looked up on PATH or in the configuration's folder, and its arguments; no shell reads them",
  ),
  protocol: key(oneOf(PROTOCOLS), "What the program speaks on its standard input and output", { default: "json-rpc" }),
  framing: key(oneOf(["newline", "content-length"]), "How messages are told apart, with protocol json-rpc", {
    default: "newline",
  }),
  initialize: key(
    v.pipe(v.record(v.string(), v.unknown(), "an object"), v.check((value) => !Array.isArray(value), "an object")),
    "Parameters of the initialize request, with protocol mcp or lsp: each key over brokkr's own",
    { otherwise: "none" },
  ),
  cwd: key(text("a path"), workingDirectory, { default: "." }),
  ...supervisionEntries,
  startTimeoutMs: key(
    milliseconds,
    "Milliseconds from the start of the program to the end of its initialize exchange",
    {
      default: 60_000,
    },
  ),
  ...processEntries,
});

/** One that has both, which is wrong: its other keys may be of either. */
export const eitherSchema = group({ ...moduleSchema.entries, ...programSchema.entries });

/** Without what is in `modules`, whose keys are names. */
export const rootSchema = group({
  $schema: key(v.string("a text"), "Where the JSON Schema is, for editors; brokkr does not read it", {
    otherwise: "none",
  }),
  name: needed(name, "Name of the broker, as it stands in the log lines and after --broker"),
  call: key(callSchema, "How calls are made"),
  image: key(
    oneOf(["own", "all"]),
    "What a new process loads: the file of its own module, or those of all modules, of which it is then cleaned",
    { default: "own" },
  ),
  modules: needed(
    v.custom<object>(
      (value) => typeof value === "object" && value !== null && !Array.isArray(value),
      "an object of modules by name",
    ),
    "The modules by name, in the order of their start",
  ),
  log: key(logSchema, "Where the log lines go"),
  product: key(text("a text"), "Name of the product in the cleanup's lines", { default: "Shinken" }),
  startConcurrency: key(
    count(1),
    "How many processes start at once, those of workers, restarts and reloads among them: the others wait for their turn",
    { otherwise: "the number of processors, at least 2" },
  ),
  sweep: key(
    flag,
    "Whether what a broker of this name left behind when it was killed is ended at the start",
    { default: true },
  ),
});

export const moduleNameSchema = name;
