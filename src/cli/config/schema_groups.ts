/**
 * The objects within a configuration.
 *
 * @module
 */

import { bytes, count, flag, group, key, milliseconds, number, oneOf, rights, share, text } from "./schema_values.ts";

export const callSchema = group({
  timeoutMs: key(milliseconds, "Milliseconds for one attempt of a call", { default: 1_000 }),
  retry: key(oneOf(["once", "never"]), "Whether a second attempt follows the first timeout", { default: "once" }),
});

export const logSchema = group({
  level: key(
    oneOf(["debug", "info", "warning", "error", "fatal"]),
    "The least serious level that is written",
    { default: "info", otherwise: "the environment variable BROKKR_LOG, else info" },
  ),
  file: key(text("a path"), "The file of the log, relative to the configuration's folder", {
    otherwise: "standard error",
  }),
  maxBytes: key(count(1_024), "Bytes at which the file is rotated", { default: 10_000_000 }),
  keep: key(count(1), "How many rotated files are kept", { default: 5 }),
  aligned: key(flag, "Whether levels and names are padded into columns", { default: false }),
});

export const policy = oneOf(["always", "on-failure", "never"]);

export const restartSchema = group({
  policy: key(policy, "on-failure starts again what ended with another exit code than 0 or by a signal", {
    default: "on-failure",
  }),
  delayMs: key(number(0), "Milliseconds before the second restart in a row; the first one comes at once", {
    default: 100,
  }),
  factor: key(number(1), "What the pause is multiplied by from one restart in a row to the next", { default: 2 }),
  maxDelayMs: key(number(0), "Milliseconds of the longest pause", { default: 30_000 }),
  jitter: key(share(), "Part of the pause by which chance makes it longer or shorter, from 0 to 1", { default: 0.1 }),
  minUptimeMs: key(
    number(0),
    "Milliseconds after which a ready process has proven itself: its next restart comes at once",
    { default: 10_000 },
  ),
  maxRestarts: key(count(0), "Restarts within windowMs after which the next end is for good", { default: 5 }),
  windowMs: key(milliseconds, "Milliseconds over which restarts are counted", { default: 60_000 }),
  escalate: key(
    oneOf(["ignore", "stop-broker"]),
    "What the broker does when the module has failed: go on, or drain all modules and end with exit code 1",
    { default: "ignore" },
  ),
});

export const outputSchema = group({
  maxLinesPerSecond: key(
    count(1),
    "Lines a second of each stream, and of ctx.log; what comes beyond them is left out and counted",
    { default: 500 },
  ),
  maxLineBytes: key(count(1), "Bytes of a line; a longer one is cut", { default: 8_192 }),
});

export const heartbeatSchema = group({
  intervalMs: key(
    milliseconds,
    "Milliseconds of silence after which a process is asked for a sign of life; at most half of timeoutMs",
    { default: 5_000 },
  ),
  timeoutMs: key(milliseconds, "Milliseconds of silence after which a process is blocked", { default: 15_000 }),
  onBlocked: key(
    oneOf(["report", "restart"]),
    "What is done then: only a line in the log, or the process is killed and its restart policy decides",
    { default: "report" },
  ),
});

export const memorySchema = group({
  warnBytes: key(bytes, "Bytes beyond which a line warns, once until there are less", { otherwise: "no limit" }),
  recycleBytes: key(bytes, "Bytes beyond which the process is replaced by a new one, between calls", {
    otherwise: "no limit",
  }),
  checkMs: key(milliseconds, "Milliseconds from one look to the next", { default: 30_000 }),
});

const DENIED = { otherwise: "denied" };

export const permissionsSchema = group({
  net: key(
    rights("host"),
    "Hosts that it may connect to or listen on: a name, with a port as in localhost:8080",
    DENIED,
  ),
  read: key(rights("path"), "Files and folders that it may read, relative to the configuration's folder", DENIED),
  write: key(rights("path"), "Files and folders that it may write, relative to the configuration's folder", DENIED),
  env: key(rights("variable"), "Environment variables that it may read and set", DENIED),
  run: key(rights("program"), "Programs that it may run: each with every right of the user", DENIED),
  ffi: key(
    rights("path"),
    "Libraries that it may load, relative to the configuration's folder: native code may do all",
    DENIED,
  ),
  sys: key(rights("name"), "Facts of the system that it may read, such as hostname", DENIED),
  import: key(rights("host"), "Hosts that it may import code from, such as jsr.io", DENIED),
});
