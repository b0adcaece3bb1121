/**
 * What two processes send each other beside answers and values: the hello, what travels with a call, and control messages. One table
 * of fields each: both sides write and read by it, so that no field can be forgotten on one of them.
 */

import type { Runtime } from "../../runtime/runtime.ts";
import { isThrown, type ThrownError } from "../faults.ts";
import {
  type FieldChecks,
  FieldSet,
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
import { BodyError, PROTOCOL_VERSION } from "./frame.ts";
import { objectText, readJson } from "./serializable.ts";
import { type CleanupReceipt, isProcessStatus, type ProcessStatus, RECEIPT_CHECKS } from "./status.ts";

/** The first message of each side. */
export interface Hello {
  readonly protocol: number;
  /** Version of brokkr. */
  readonly version: string;
  readonly broker: string;
  /** Name of the process that sends it. */
  readonly process: string;
  readonly pid: number;
  readonly runtime: string;
  /** The codecs it can read; only JSON where it names none. */
  readonly codecs?: readonly string[];
  /** From the parent only. */
  readonly setup: Setup | null;
}

/** Where the calls of a process may go, and what holds for them where their own options do not say it. */
export interface CallTargets {
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  /** Names that calls may go to through the parent. */
  readonly names: readonly string[];
  /** What holds for those modules that have call settings of their own, by name. */
  readonly calls?: Readonly<Record<string, ModuleCallSettings>>;
}

/** What a new process needs to know before it cleans. */
export interface Setup extends CallTargets {
  /** Ids of the events that the broker's log takes. */
  readonly wanted: readonly string[];
  readonly frameLimit: number;
  readonly cleanupMs: number;
  /** The module's `options`. */
  readonly options: unknown;
  /** How many workers the module has by hand. @default as many as its definition says */
  readonly workers?: number;
  readonly supervision: SupervisionPlan;
  readonly concurrency: number | null;
  readonly queue: number | null;
  readonly output: OutputLimits;
}

const isTimeoutOrNone = optional(isNumber);
const isRetry = oneOf("once", "never");
const isCall = objectOf<CallSettings>({ timeoutMs: isTimeoutOrNone, retry: optional(isRetry) });
const isModuleCalls = objectOf<ModuleCallSettings>({
  timeoutMs: isTimeoutOrNone,
  retry: optional(isRetry),
  calls: optional(recordOf(isCall)),
});

const TARGETS: FieldChecks<CallTargets> = {
  timeoutMs: isNumber,
  retry: isRetry,
  names: listOf(isText),
  calls: optional(recordOf(isModuleCalls)),
};

const isSetup = objectOf<Setup>({
  wanted: listOf(isText),
  frameLimit: isNumber,
  cleanupMs: isNumber,
  ...TARGETS,
  options: isAnything,
  workers: optional(isNumber),
  supervision: isPlan,
  concurrency: orNull(isNumber),
  queue: orNull(isNumber),
  output: objectOf<OutputLimits>({ maxLinesPerSecond: isNumber, maxLineBytes: isNumber }),
});

/** A stranger needs to send as little as possible. */
const HELLO = new FieldSet<Hello>({
  protocol: [isNumber],
  version: [isText],
  broker: [isText, ""],
  process: [isText, ""],
  pid: [isNumber, 0],
  runtime: [isText, ""],
  codecs: [optional(listOf(isText))],
  setup: [orNull(isSetup), null],
});

/** What this process sends first. */
export function helloOf(
  { pid, name, version }: Pick<Runtime, "pid" | "name" | "version">,
  { setup = null, ...own }: Pick<Hello, "broker" | "process" | "codecs"> & Partial<Pick<Hello, "setup">>,
): Hello {
  return { protocol: PROTOCOL_VERSION, version: VERSION, pid, runtime: `${name} ${version}`, ...own, setup };
}

export function helloText(hello: Hello): string {
  return objectText(HELLO.pick(hello));
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
  return HELLO.read(value);
}

function isHello(value: unknown): value is Pick<Hello, "protocol" | "version"> & { readonly setup?: unknown } {
  return isRecord(value) && isNumber(value["protocol"]) && isText(value["version"]);
}

/** The parent made it of settings that were checked, and is the same brokkr: its groups are enough. */
function isPlan(value: unknown): value is SupervisionPlan {
  return isRecord(value) && ["restart", "heartbeat", "memory"].every((group) => isRecord(value[group]));
}

/** Two peers that can't understand each other. */
class HelloError extends BodyError {
  override readonly name = "HelloError";
}

/** What travels with a call beside its command and parameters. */
export interface CallHeaders {
  /** From a module to its broker: the module that is to run the command. */
  readonly target?: string;
  /** With `target`: how long the caller waits for one attempt. */
  readonly timeoutMs?: number;
  /** From the broker: who called, where it was not the broker itself. */
  readonly caller?: string;
  /** The result is to come item by item. */
  readonly stream?: boolean;
  /** To a program of another language: a notification, which it gives no answer to. */
  readonly notify?: boolean;
}

/** In the order they are written. What is missing or wrong is left out. */
const HEADERS = new FieldSet<CallHeaders>({
  target: [optional(isText)],
  timeoutMs: [optional(isNumber)],
  caller: [optional(isText)],
  stream: [optional(isBoolean)],
  notify: [optional(isBoolean)],
});

export function readHeaders(value: unknown): CallHeaders | null {
  return typeof value === "object" && value !== null ? HEADERS.read(value) : null;
}

/** What calls ask for, as JSON. Those that ask alike share it, also those of one frame and the next, so the last text is kept. */
export class WrittenHeaders {
  #last: CallHeaders | null = null;
  #text = "null";

  text(headers: CallHeaders | null): string {
    if (headers !== this.#last) {
      this.#last = headers;
      this.#text = headers === null ? "null" : objectText(HEADERS.pick(headers));
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

/** A control message from a process to its parent. */
export type ControlFromChild =
  /** The cleanup of module `owner` begins; null after the last one. */
  | { readonly kind: "cleaning"; readonly owner: string | null }
  /** The cleanup is over, and the start hook follows. */
  | { readonly kind: "cleaned" }
  /** A worker wants to start: the parent decides when it may. `start` is a number of the process' own. */
  | { readonly kind: "start-wanted"; readonly start: number }
  /** That worker has cleaned, has ended or is not to start any more. */
  | { readonly kind: "start-over"; readonly start: number }
  | { readonly kind: "ready"; readonly commands: readonly string[]; readonly cleanup: CleanupReceipt | null }
  /** With `lasting` another start would fail too. */
  | { readonly kind: "failed"; readonly error: ThrownError; readonly lasting?: boolean }
  /**
   * The answer to `status`, to `restart` when the worker is ready or has failed, and to `scale` when all of them are; `error` is why it
   * can't be done.
   */
  | {
    readonly kind: "status";
    readonly request: number;
    readonly workers: readonly ProcessStatus[];
    readonly error?: string;
  }
  /** It got a signal that asks it to end, and waits for the parent's decision. */
  | { readonly kind: "signal"; readonly signal: EndSignal }
  /** The answer to `inspect`: where the inspector is, null where it is closed, or why it can't be opened. */
  | { readonly kind: "inspected"; readonly request: number; readonly url: string | null; readonly error: string | null }
  | { readonly kind: "stopped" };

/** A control message from a parent to its process. */
export type ControlFromParent =
  /** With `signal` it ends by that, when it has drained. */
  | { readonly kind: "stop"; readonly signal?: EndSignal }
  /** The answer to `start-wanted`. */
  | { readonly kind: "start-admitted"; readonly start: number }
  | { readonly kind: "wanted"; readonly events: readonly string[] }
  /**
   * To a process that is kept ready: what it becomes. `role` is the text that would stand in its environment, `folder` where it would
   * have started, `set` and `unset` are the rest of how its environment differs.
   */
  | {
    readonly kind: "role";
    readonly role: string;
    readonly folder: string;
    readonly set: Readonly<Record<string, string>>;
    readonly unset: readonly string[];
  }
  /** A changed configuration has changed where calls may go, or what holds for them. */
  | { readonly kind: "targets"; readonly targets: CallTargets }
  | { readonly kind: "status"; readonly request: number }
  | { readonly kind: "restart"; readonly worker: number; readonly request: number }
  /** From now on the module has so many workers. */
  | { readonly kind: "scale"; readonly workers: number; readonly request: number }
  /** Opens or closes the inspector of the process, or of its worker of that number. */
  | {
    readonly kind: "inspect";
    readonly request: number;
    readonly worker: number | null;
    readonly action: "open" | "close";
  };

/** The control messages of one direction: the fields of each kind. */
class ControlMessages<M extends { readonly kind: string }> {
  readonly #fields: ReadonlyMap<unknown, FieldSet<M>>;

  constructor(fields: { readonly [K in M["kind"]]: FieldSet<Extract<M, { readonly kind: K }>> }) {
    this.#fields = new Map<unknown, FieldSet<M>>(Object.entries(fields));
  }

  /** @throws {BodyError} */
  read(body: Uint8Array): M {
    const message = readJson(body);
    const kind = isRecord(message) ? message["kind"] : undefined;
    const fields = this.#fields.get(kind);
    if (!isRecord(message) || fields === undefined) throw new BodyError("a notice of an unknown kind");
    const wrong = fields.wrongField(message);
    if (wrong === null) return fields.read(message);
    throw new BodyError(`a notice "${kind}" ${Object.hasOwn(message, wrong) ? "with a wrong" : "without"} ${wrong}`);
  }

  text(message: M): string {
    return objectText(this.#fields.get(message.kind)?.pick(message) ?? message);
  }
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every(isText);
}

const isSignal = oneOf("SIGINT", "SIGTERM");

export const controlFromChild = new ControlMessages<ControlFromChild>({
  cleaning: new FieldSet({ kind: [oneOf("cleaning")], owner: [orNull(isText)] }),
  cleaned: new FieldSet({ kind: [oneOf("cleaned")] }),
  "start-wanted": new FieldSet({ kind: [oneOf("start-wanted")], start: [isNumber] }),
  "start-over": new FieldSet({ kind: [oneOf("start-over")], start: [isNumber] }),
  ready: new FieldSet({
    kind: [oneOf("ready")],
    commands: [listOf(isText)],
    cleanup: [orNull(objectOf<CleanupReceipt>(RECEIPT_CHECKS))],
  }),
  failed: new FieldSet<Extract<ControlFromChild, { readonly kind: "failed" }>>({
    kind: [oneOf("failed")],
    error: [isThrown],
    lasting: [optional(isBoolean)],
  }),
  status: new FieldSet<Extract<ControlFromChild, { readonly kind: "status" }>>({
    kind: [oneOf("status")],
    request: [isNumber],
    workers: [listOf(isProcessStatus)],
    error: [optional(isText)],
  }),
  signal: new FieldSet({ kind: [oneOf("signal")], signal: [isSignal] }),
  inspected: new FieldSet({
    kind: [oneOf("inspected")],
    request: [isNumber],
    url: [orNull(isText)],
    error: [orNull(isText)],
  }),
  stopped: new FieldSet({ kind: [oneOf("stopped")] }),
});

export const controlFromParent = new ControlMessages<ControlFromParent>({
  stop: new FieldSet<Extract<ControlFromParent, { readonly kind: "stop" }>>({
    kind: [oneOf("stop")],
    signal: [optional(isSignal)],
  }),
  "start-admitted": new FieldSet({ kind: [oneOf("start-admitted")], start: [isNumber] }),
  wanted: new FieldSet({ kind: [oneOf("wanted")], events: [listOf(isText)] }),
  role: new FieldSet({
    kind: [oneOf("role")],
    role: [isText],
    folder: [isText],
    set: [isTexts],
    unset: [listOf(isText)],
  }),
  targets: new FieldSet({ kind: [oneOf("targets")], targets: [objectOf(TARGETS)] }),
  status: new FieldSet({ kind: [oneOf("status")], request: [isNumber] }),
  restart: new FieldSet({ kind: [oneOf("restart")], worker: [isNumber], request: [isNumber] }),
  scale: new FieldSet({ kind: [oneOf("scale")], workers: [isNumber], request: [isNumber] }),
  inspect: new FieldSet({
    kind: [oneOf("inspect")],
    request: [isNumber],
    worker: [orNull(isNumber)],
    action: [oneOf("open", "close")],
  }),
});

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
