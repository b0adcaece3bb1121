/**
 * The role of a process: whose process it is, in one environment variable that its parent sets, and which starts of brokers it comes to.
 */

import {
  FieldSet,
  type FieldsOf,
  isBoolean,
  isNumber,
  isRecord,
  isText,
  listOf,
  objectOf,
  oneOf,
  optional,
  orNull,
} from "../checks.ts";
import { objectText } from "../user_code.ts";
import type { Descendants } from "../settings/settings.ts";

/** The one environment variable that brokkr hands to a process it creates. */
export const ROLE_VARIABLE = "BROKKR_ROLE";

/** How deep brokers may nest: a process that is deeper starts itself by mistake. */
const MAX_DEPTH = 8;

/** The part of a configuration that the module's file has to be held against. */
const GIVEN = {
  /** How many workers, or null where the module's file says it. */
  workers: orNull(isNumber),
  keys: listOf(isText),
  /** Whether the configuration gives the module fewer rights. @default false */
  sandboxed: optional(isBoolean),
};
export type GivenSettings = FieldsOf<typeof GIVEN>;

/** What the variable says of a role. */
const ROLE = {
  broker: isText,
  module: isText,
  /** Number of the worker from 1, or null in the module's own process. */
  worker: orNull(isNumber),
  /** 1 in a process of the outermost broker. */
  depth: isNumber,
  /** Where the channel to the parent is. */
  channel: isText,
  /** Module files to load, where the program has none of its own: `[name, path or URL]`. */
  load: [orNull(listOf(isFile)), null],
  /** What the configuration says of the module, in the module's own process under one; else null. */
  given: [orNull(objectOf<GivenSettings>(GIVEN)), null],
  /** The mark of this run of the module: the processes that it starts are found by it, wherever they have gone. */
  tree: [orNull(isText), null],
  /** Whether the processes that it starts by itself bear the mark too. */
  descendants: [oneOf<Descendants>("kill", "keep"), "kill"],
  /** Whether it is that of a process that is kept ready, until its parent sends it another one. @default false */
  standby: optional(isBoolean),
} as const;

const FIELDS = new FieldSet<FieldsOf<typeof ROLE>>(ROLE);

export interface Role extends FieldsOf<typeof ROLE> {
  /** Name of the process: the module's, or `M-1`. */
  readonly process: string;
}

/** Name of a module's process or of its worker number `worker`. */
export function processName(module: string, worker: number | null): string {
  return worker === null ? module : `${module}-${worker}`;
}

/** Whether `process` is the name of a worker of `module`, which has `workers` of them, or a number that is not known. */
export function isWorkerOf(module: string, process: string, workers: number | null): boolean {
  if (!process.startsWith(`${module}-`)) return false;
  const number = process.slice(module.length + 1);
  return /^[1-9]\d{0,8}$/.test(number) && (workers === null || Number(number) <= workers);
}

function isFile(value: unknown): value is readonly [name: string, path: string] {
  return Array.isArray(value) && value.length === 2 && value.every(isText);
}

export function encodeRole(role: Omit<Role, "process" | "given"> & Partial<Pick<Role, "given">>): string {
  // Nothing is found by no tree, so nothing is said of it.
  const tree = role.tree === null ? { tree: undefined, descendants: undefined } : {};
  return objectText(FIELDS.pick({ ...role, given: role.given ?? undefined, ...tree }));
}

/**
 * What stays of the role for the processes that a module starts by itself: how deep it is, and what to find them by. `pid` is that of
 * the process whose role it was.
 */
export function encodeDepth(depth: number, tree: string | null = null, pid?: number): string {
  return objectText({ depth, ...(tree === null ? {} : { tree }), ...(pid === undefined ? {} : { pid }) });
}

/**
 * Reads the variable's text: a role, or only how deep this process is, and whose `pid` it was that had a role.
 *
 * @throws {Error} when the text is not brokkr's, or when the process is deeper than any broker should be.
 */
export function readRole(text: string | undefined): { role: Role | null; depth: number; pid?: number } {
  if (text === undefined || text === "") return { role: null, depth: 0 };
  const fields = parse(text);
  const { depth, broker, pid } = fields;
  if (!isNumber(depth)) throw notARole(text);
  if (depth > MAX_DEPTH) {
    throw new Error(
      `Cannot start a broker at depth ${depth}: brokers nest at most ${MAX_DEPTH} deep, and a program that starts itself again ` +
        `without a Broker.start in its way never ends`,
    );
  }
  if (broker === undefined) return { role: null, depth, ...(isNumber(pid) ? { pid } : {}) };
  try {
    const role = FIELDS.read(fields);
    return { role: { ...role, process: processName(role.module, role.worker) }, depth };
  } catch {
    throw notARole(text);
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // The error below quotes the text.
  }
  throw notARole(text);
}

function notARole(text: string): Error {
  return new Error(
    `Cannot read environment variable ${ROLE_VARIABLE}: it must be set by brokkr only, and it is "${text}"`,
  );
}

/**
 * The starts of brokers in one process. A new process runs the same program, and the first start in it that is another broker's never
 * settles there: what the program begins after that one is never begun in the process.
 */
export class Starts {
  /** Begun before the first of them settled. */
  readonly #reached = new Set<string>();
  #first: string | null = null;

  begun(name: string): void {
    if (this.#first === null) this.#reached.add(name);
  }

  settled(name: string): void {
    this.#first ??= name;
  }

  /** Why a new process does not come to the start of broker `name`, and what to do; null where it does. */
  whyUnreachable(name: string): string | null {
    if (this.#first === null || this.#reached.has(name)) return null;
    return `broker "${this.#first}" was started before it, and a new process of the program goes no further than that start, ` +
      `start both at once (await Promise.all) or set "program" to a file that only starts "${name}"`;
  }
}
