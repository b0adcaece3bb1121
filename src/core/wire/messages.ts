/**
 * What two processes send each other beside answers and values: the hello, what travels with a call, and control messages. One table
 * of fields each: both sides write and read by it, so that no field can be forgotten on one of them.
 */

import type { Runtime } from "../../runtime/runtime.ts";
import {
  type Check,
  type FieldChecks,
  FieldSet,
  type FieldsOf,
  isAnything,
  isBoolean,
  isNumber,
  isRecord,
  isText,
  listOf,
  objectOf,
  oneOf,
  optional,
  orNull,
  recordOf,
} from "../checks.ts";
import type { CallSettings, ModuleCallSettings, OutputLimits, SupervisionPlan } from "../settings/settings.ts";
import { VERSION } from "../version.ts";
import { BodyError, PROTOCOL_VERSION, readJson } from "./frame.ts";
import { objectText } from "../user_code.ts";
import { type CleanupReceipt, isProcessStatus, RECEIPT_CHECKS } from "./status.ts";

/** As large as a setting may be: Number.MAX_VALUE is how some write that there is no limit. */
const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isTimeoutOrNone = optional(isTime);
const isRetry = oneOf("once", "never");
const isCall = objectOf<CallSettings>({ timeoutMs: isTimeoutOrNone, retry: optional(isRetry) });
const isModuleCalls = objectOf<ModuleCallSettings>({
  timeoutMs: isTimeoutOrNone,
  retry: optional(isRetry),
  calls: optional(recordOf(isCall)),
});

const TARGETS = {
  timeoutMs: isTime,
  retry: isRetry,
  /** Names that calls may go to through the parent. */
  names: listOf(isText),
  /** What holds for those modules that have call settings of their own, by name. */
  calls: optional(recordOf(isModuleCalls)),
};

/** Where the calls of a process may go, and what holds for them where their own options do not say it. */
export type CallTargets = FieldsOf<typeof TARGETS>;

const SETUP = {
  /** Ids of the events that the broker's log takes. */
  wanted: listOf(isText),
  frameLimit: isNumber,
  cleanupMs: isNumber,
  ...TARGETS,
  /** The module's `options`. */
  options: isAnything,
  /** How many workers the module has by hand. @default as many as its definition says */
  workers: optional(isNumber),
  supervision: isPlan,
  concurrency: orNull(isNumber),
  queue: orNull(isNumber),
  output: objectOf<OutputLimits>({ maxLinesPerSecond: isNumber, maxLineBytes: isNumber }),
};

/** What a new process needs to know before it cleans. */
export type Setup = FieldsOf<typeof SETUP>;

const isSetup = objectOf<Setup>(SETUP);

/** A stranger needs to send as little as possible. */
const HELLO = {
  protocol: isNumber,
  /** Version of brokkr. */
  version: isText,
  broker: [isText, ""],
  /** Name of the process that sends it. */
  process: [isText, ""],
  pid: [isNumber, 0],
  runtime: [isText, ""],
  /** The codecs it can read; only JSON where it names none. */
  codecs: optional(listOf(isText)),
  /** From the parent only. */
  setup: [orNull(isSetup), null],
} as const;

/** The first message of each side. */
export type Hello = FieldsOf<typeof HELLO>;

const helloFields = new FieldSet<Hello>(HELLO);

export function helloOf(
  { pid, name, version }: Pick<Runtime, "pid" | "name" | "version">,
  { setup = null, ...own }: Pick<Hello, "broker" | "process" | "codecs"> & Partial<Pick<Hello, "setup">>,
): Hello {
  return { protocol: PROTOCOL_VERSION, version: VERSION, pid, runtime: `${name} ${version}`, ...own, setup };
}

export function helloText(hello: Hello): string {
  return objectText(helloFields.pick(hello));
}

/** @param version of brokkr here, for the error's text. @throws {HelloError} where this side can't talk to the peer. */
export function readHello(body: Uint8Array, version = VERSION): Hello {
  const value = readJson(body);
  if (!isHello(value)) throw new HelloError("Cannot talk to the peer: its first frame is not a hello");
  if (value.protocol !== PROTOCOL_VERSION) {
    throw new HelloError(
      `Cannot talk to the peer: it speaks protocol ${value.protocol} (brokkr ${value.version}) ` +
        `and this is protocol ${PROTOCOL_VERSION} (brokkr ${version})`,
    );
  }
  // The only field that is not replaced where it is wrong: the process runs by it.
  const { setup = null } = value;
  if (setup !== null && !isSetup(setup)) throw new BodyError("a hello with a wrong setup");
  return helloFields.read(value);
}

function isHello(value: unknown): value is Pick<Hello, "protocol" | "version"> & { readonly setup?: unknown } {
  return isRecord(value) && isNumber(value["protocol"]) && isText(value["version"]);
}

/** The parent made it of settings that were checked, and is the same brokkr: its groups are enough. */
function isPlan(value: unknown): value is SupervisionPlan {
  return isRecord(value) && ["restart", "heartbeat", "memory"].every((group) => isRecord(value[group]));
}

class HelloError extends BodyError {
  override readonly name = "HelloError";
}

/** In the order they are written. What is missing or wrong is left out. */
const HEADERS = {
  /** From a module to its broker: the module that is to run the command. */
  target: optional(isText),
  /** With `target`: how long the caller waits for one attempt. */
  timeoutMs: isTimeoutOrNone,
  /** From the broker: who called, where it was not the broker itself. */
  caller: optional(isText),
  /** The result is to come item by item. */
  stream: optional(isBoolean),
  /** To a program of another language: a notification, which it gives no answer to. */
  notify: optional(isBoolean),
};

/** What travels with a call beside its command and parameters. */
export type CallHeaders = FieldsOf<typeof HEADERS>;

const headerFields = new FieldSet<CallHeaders>(HEADERS);

export function readHeaders(value: unknown): CallHeaders | null {
  return typeof value === "object" && value !== null ? headerFields.read(value) : null;
}

/** What calls ask for, as JSON. Those that ask alike share it, also those of one frame and the next, so the last text is kept. */
export class WrittenHeaders {
  #last: CallHeaders | null = null;
  #text = "null";

  text(headers: CallHeaders | null): string {
    if (headers !== this.#last) {
      this.#last = headers;
      this.#text = headers === null ? "null" : objectText(headerFields.pick(headers));
    }
    return this.#text;
  }
}

/** Asks a process to end. */
export type EndSignal = "SIGINT" | "SIGTERM";

/** The longest time from the signal of one process to that of its broker, where one sender signals both. */
export const TREE_SIGNAL_MS = 250;

/** How long an inspector stays open. */
export const INSPECTOR_MS = 10 * 60_000;

export const END_SIGNALS: readonly EndSignal[] = ["SIGINT", "SIGTERM"];

/** Exit codes that mean an end by a signal. */
export const EXIT_CODES: Readonly<Record<EndSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

const isSignal = oneOf("SIGINT", "SIGTERM");

const isObject: Check<object> = isRecord;

/** The control messages from a process to its parent. */
const FROM_CHILD = {
  /** The cleanup of module `owner` begins; null after the last one. */
  cleaning: { owner: orNull(isText) },
  /** The cleanup is over, and the start hook follows. */
  cleaned: {},
  /** A worker wants to start: the parent decides when it may. `start` is a number of the process' own. */
  "start-wanted": { start: isNumber },
  /** That worker has cleaned, has ended or is not to start any more. */
  "start-over": { start: isNumber },
  ready: { commands: listOf(isText), cleanup: orNull(objectOf<CleanupReceipt>(RECEIPT_CHECKS)) },
  /** With `lasting` another start would fail too. `error` is read as what a handler throws: a field that it lacks counts as empty. */
  failed: { error: isObject, lasting: optional(isBoolean) },
  /**
   * The answer to `status`, to `restart` when the worker is ready or has failed, and to `scale` when all of them are; `error` is why it
   * can't be done.
   */
  status: { request: isNumber, workers: listOf(isProcessStatus), error: optional(isText) },
  /** It got a signal that asks it to end, and waits for the parent's decision. */
  signal: { signal: isSignal },
  /** The answer to `inspect`: where the inspector is, null where it is closed, or why it can't be opened. */
  inspected: { request: isNumber, url: orNull(isText), error: orNull(isText) },
  stopped: {},
};

/** The control messages from a parent to its process. */
const FROM_PARENT = {
  /** With `signal` it ends by that, when it has drained. */
  stop: { signal: optional(isSignal) },
  /** The answer to `start-wanted`. */
  "start-admitted": { start: isNumber },
  wanted: { events: listOf(isText) },
  /**
   * To a process that is kept ready: what it becomes. `role` is the text that would stand in its environment, `folder` where it would
   * have started, `set` and `unset` are the rest of how its environment differs.
   */
  role: { role: isText, folder: isText, set: recordOf(isText), unset: listOf(isText) },
  /** A changed configuration has changed where calls may go, or what holds for them. */
  targets: { targets: objectOf<CallTargets>(TARGETS) },
  status: { request: isNumber },
  restart: { worker: isNumber, request: isNumber },
  /** From now on the module has so many workers. */
  scale: { workers: isNumber, request: isNumber },
  /** Opens or closes the inspector of the process, or of its worker of that number. */
  inspect: { request: isNumber, worker: orNull(isNumber), action: oneOf("open", "close") },
};

type MessageOf<T> = { [K in keyof T]: { readonly kind: K } & FieldsOf<T[K]> }[keyof T];
export type ControlFromChild<Kind extends keyof typeof FROM_CHILD = keyof typeof FROM_CHILD> = Extract<
  MessageOf<typeof FROM_CHILD>,
  { readonly kind: Kind }
>;
export type ControlFromParent<Kind extends keyof typeof FROM_PARENT = keyof typeof FROM_PARENT> = Extract<
  MessageOf<typeof FROM_PARENT>,
  { readonly kind: Kind }
>;

class ControlMessages<M extends { readonly kind: string }> {
  readonly #fields: ReadonlyMap<unknown, FieldSet<{ kind: string }>>;

  constructor(fields: { readonly [K in M["kind"]]: FieldChecks<Omit<Extract<M, { readonly kind: K }>, "kind">> }) {
    const tables: Readonly<Record<string, object>> = fields;
    this.#fields = new Map(
      Object.entries(tables).map(([kind, checks]) => [kind, new FieldSet({ kind: isText, ...checks })]),
    );
  }

  /** @throws {BodyError} */
  read(body: Uint8Array): M {
    const message = readJson(body);
    const kind = isRecord(message) ? message["kind"] : undefined;
    const fields = this.#fields.get(kind);
    if (!isRecord(message) || fields === undefined) throw new BodyError("a notice of an unknown kind");
    const found = fields.pick(message);
    if (this.#isWhole(found, fields)) return found;
    const wrong = fields.wrongField(found) ?? "";
    throw new BodyError(`a notice "${kind}" ${Object.hasOwn(message, wrong) ? "with a wrong" : "without"} ${wrong}`);
  }

  text(message: M): string {
    return objectText(this.#fields.get(message.kind)?.pick(message) ?? message);
  }

  #isWhole(message: object, fields: FieldSet<{ kind: string }>): message is M {
    return fields.isWhole(message);
  }
}

export const controlFromChild = new ControlMessages<ControlFromChild>(FROM_CHILD);
export const controlFromParent = new ControlMessages<ControlFromParent>(FROM_PARENT);

/** What a process reports, of which nothing is checked yet. @throws {BodyError} */
export function readRecords(body: Uint8Array): readonly unknown[] {
  const events = readJson(body);
  if (!Array.isArray(events)) throw new BodyError("a records frame is not a list of events");
  return events;
}

/** Why the peer ended the link. @throws {BodyError} */
export function readCloseReason(body: Uint8Array): string {
  const close = readJson(body);
  if (typeof close === "object" && close !== null && "reason" in close) return String(close.reason);
  return "the peer closed the channel";
}
