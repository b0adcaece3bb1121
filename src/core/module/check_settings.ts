/**
 * The check of supervision settings, wherever they stand.
 *
 * @module
 */

import { show } from "../show.ts";
import { refuseUnknown } from "../unknown_key.ts";
import type { HeartbeatSettings, MemorySettings, RestartSettings } from "./settings.ts";

/** What a value should be, completing "must be"; null where it is that. */
type Rule = (value: unknown) => string | null;

const POLICY = oneOf("always", "on-failure", "never");

const RESTART: Readonly<Record<keyof RestartSettings, Rule>> = {
  policy: POLICY,
  delayMs: number({ least: 0 }),
  factor: number({ least: 1 }),
  maxDelayMs: number({ least: 0 }),
  jitter: number({ least: 0, most: 1 }),
  minUptimeMs: number({ least: 0 }),
  maxRestarts: whole,
  windowMs: number({ above: 0 }),
  escalate: oneOf("ignore", "stop-broker"),
};

const HEARTBEAT: Readonly<Record<keyof HeartbeatSettings, Rule>> = {
  intervalMs: number({ above: 0 }),
  timeoutMs: number({ above: 0 }),
  onBlocked: oneOf("report", "restart"),
};

const MEMORY: Readonly<Record<keyof MemorySettings, Rule>> = {
  warnBytes: number({ above: 0 }),
  recycleBytes: number({ above: 0 }),
  checkMs: number({ above: 0 }),
};

const DEADLINES = ["startTimeoutMs", "drainMs", "killMs"];

/** @throws {TypeError} that names the setting, what it is and what it should be. */
export function checkSupervision(at: string, settings: Readonly<Record<string, unknown>>): void {
  const { restart } = settings;
  if (typeof restart === "string") check(`${at}: restart`, restart, POLICY);
  else checkGroup(`${at}: restart`, restart, { rules: RESTART, or: '"always", "on-failure", "never" or ' });
  checkGroup(`${at}: heartbeat`, settings["heartbeat"], { rules: HEARTBEAT });
  checkGroup(`${at}: memory`, settings["memory"], { rules: MEMORY });
  check(`${at}: after`, settings["after"], names);
  for (const key of DEADLINES) check(`${at}: ${key}`, settings[key], number({ above: 0 }));
}

interface Group {
  readonly rules: Readonly<Record<string, Rule>>;
  /** What may stand in place of the group. */
  readonly or?: string;
}

function checkGroup(what: string, value: unknown, { rules, or = "" }: Group): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${what} must be ${or}an object, and it is ${show(value)}`);
  }
  refuseUnknown(what, value, Object.keys(rules));
  const parts = new Map<string, unknown>(Object.entries(value));
  for (const [key, rule] of Object.entries(rules)) check(`${what}.${key}`, parts.get(key), rule);
}

function check(what: string, value: unknown, rule: Rule): void {
  const should = value === undefined ? null : rule(value);
  if (should !== null) throw new TypeError(`${what} must be ${should}, and it is ${show(value)}`);
}

function oneOf(...choices: readonly string[]): Rule {
  const shown = choices.map((choice) => JSON.stringify(choice));
  const text = `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
  return (value) => choices.some((choice) => choice === value) ? null : text;
}

function number({ least = -Infinity, above = -Infinity, most = Infinity }): Rule {
  const text = most < Infinity
    ? `a number from ${least} to ${most}`
    : above > -Infinity
    ? `a number above ${above}`
    : `a number of at least ${least}`;
  return (value) =>
    typeof value === "number" && Number.isFinite(value) && value >= least && value > above && value <= most
      ? null
      : text;
}

function names(value: unknown): string | null {
  const isList = Array.isArray(value) && value.every((name) => typeof name === "string");
  return isList ? null : "a list of names of modules";
}

function whole(value: unknown): string | null {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? null : "a whole number of at least 0";
}
