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

function number(least: number, most = Infinity) {
  const text = most === Infinity ? `a number of at least ${least}` : `a number from ${least} to ${most}`;
  return v.pipe(v.number(text), v.check((value) => value >= least && value <= most && Number.isFinite(value), text));
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

const policy = oneOf(["always", "on-failure", "never"]);

const restartSchema = v.object({
  policy: v.exactOptional(policy),
  delayMs: v.exactOptional(number(0)),
  factor: v.exactOptional(number(1)),
  maxDelayMs: v.exactOptional(number(0)),
  jitter: v.exactOptional(number(0, 1)),
  minUptimeMs: v.exactOptional(number(0)),
  maxRestarts: v.exactOptional(count(0)),
  windowMs: v.exactOptional(milliseconds),
  escalate: v.exactOptional(oneOf(["ignore", "stop-broker"])),
}, "an object");

const outputSchema = v.object({
  maxLinesPerSecond: v.exactOptional(count(1)),
  maxLineBytes: v.exactOptional(count(1)),
}, "an object");

const supervisionEntries = {
  restart: v.exactOptional(v.lazy((value) => typeof value === "object" ? notAList(restartSchema) : policy)),
  startTimeoutMs: v.exactOptional(milliseconds),
  drainMs: v.exactOptional(milliseconds),
  killMs: v.exactOptional(milliseconds),
};

export const moduleSchema = v.object({
  path: text("the path of the module's file"),
  workers: v.exactOptional(count(0)),
  ...supervisionEntries,
  env: v.exactOptional(
    v.array(text("the name of an environment variable"), "a list of names of environment variables"),
  ),
  options: v.exactOptional(v.unknown()),
  concurrency: v.exactOptional(count(1)),
  queue: v.exactOptional(count(0)),
  cwd: v.exactOptional(text("a path")),
  descendants: v.exactOptional(oneOf(["kill", "keep"])),
  output: v.exactOptional(notAList(outputSchema)),
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
  restart: Object.keys(restartSchema.entries),
  output: Object.keys(outputSchema.entries),
} as const;
