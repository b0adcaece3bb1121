/**
 * What may stand in a configuration. Each message completes "… must be"; `schema/brokkr.schema.json` says the same for editors.
 *
 * @module
 */

import * as v from "valibot";

const NAME = "1 to 64 of the characters A-Z a-z 0-9 . _ -";
const MILLISECONDS = "a number of milliseconds above 0";

const name = v.pipe(v.string(NAME), v.regex(/^[A-Za-z0-9._-]{1,64}$/, NAME));
const flag = v.boolean("true or false");
const milliseconds = v.pipe(
  v.number(MILLISECONDS),
  v.check((value) => Number.isFinite(value) && value > 0, MILLISECONDS),
);

function count(least: number) {
  const text = `a whole number of at least ${least}`;
  return v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(Number.MAX_SAFE_INTEGER, text));
}

function text(what: string) {
  return v.pipe(v.string(what), v.check((value) => value !== "" && !value.includes("\0"), what));
}

function oneOf<const T extends readonly string[]>(choices: T) {
  return v.picklist(choices, `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
}

/** A list would pass as an object. */
function notAList<S extends v.GenericSchema>(schema: S) {
  return v.pipe(v.unknown(), v.check((value) => !Array.isArray(value), "an object"), schema);
}

const callSchema = v.object({
  timeoutMs: v.optional(milliseconds),
  retry: v.optional(oneOf(["once", "never"])),
}, "an object");

const logSchema = v.object({
  level: v.optional(oneOf(["debug", "info", "warning", "error", "fatal"])),
  file: v.optional(text("a path")),
  maxBytes: v.optional(count(1_024)),
  keep: v.optional(count(1)),
  aligned: v.optional(flag),
}, "an object");

export const moduleSchema = v.object({
  path: text("the path of the module's file"),
  workers: v.optional(count(0)),
  restart: v.optional(oneOf(["always", "on-failure", "never"])),
  env: v.optional(
    v.array(text("the name of an environment variable"), "a list of names of environment variables"),
  ),
  options: v.optional(v.unknown()),
  concurrency: v.optional(count(1)),
  queue: v.optional(count(0)),
  cwd: v.optional(text("a path")),
  descendants: v.optional(oneOf(["kill", "keep"])),
}, "an object");

/** Without what is in `modules`, whose keys are names. */
export const rootSchema = v.object({
  $schema: v.optional(v.string("a text")),
  name,
  call: v.optional(notAList(callSchema)),
  image: v.optional(oneOf(["own", "all"])),
  modules: v.custom<object>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "an object of modules by name",
  ),
  log: v.optional(notAList(logSchema)),
  product: v.optional(text("a text")),
  sweep: v.optional(flag),
}, "an object");

export const moduleNameSchema = name;

/** Keys of each object, to refuse and to correct others. */
export const KNOWN_KEYS = {
  root: Object.keys(rootSchema.entries),
  call: Object.keys(callSchema.entries),
  log: Object.keys(logSchema.entries),
  module: Object.keys(moduleSchema.entries),
} as const;
