/** The client of a control socket, which the command line uses to reach a running broker. */

import type { Runtime } from "../../runtime/runtime.ts";
import { type CallClient, newClient } from "../call/client.ts";
import { faultOf } from "../call/outcomes.ts";
import { CallStream } from "../call/stream.ts";
import { isText, objectOf, orNull } from "../checks.ts";
import { BrokerError, type CallTarget, goneFault, toError, toFault } from "../faults.ts";
import { within } from "../duration.ts";
import { messageOf } from "../user_code.ts";
import type { CallOptions } from "../module/definition.ts";
import { AnswerKind, CODECS, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { readAnswers } from "../wire/columns.ts";
import { Link } from "../wire/link.ts";
import { helloOf, helloText, readCloseReason, readHello } from "../wire/messages.ts";
import { SILENT } from "../log/reporter.ts";
import type { BrokerStatus } from "../broker/status.ts";
import type { ModuleDescription } from "./describe.ts";
import { isLive } from "./name_lock.ts";
import {
  ASKED_LIMIT,
  type InspectAnswer,
  type MeasuredResult,
  readEnvelope,
  readItem,
  readMeasured,
  type RecordFilter,
  type SentRecord,
} from "./protocol.ts";
import {
  ANSWER_MS,
  type Asked,
  type BrokerPlace,
  isDescription,
  isStatus,
  type Outcome,
  PROCESSES_MS,
} from "./question.ts";
import { brokerOf, CONTROL_FOLDER, socketPath } from "./socket_name.ts";

/** How long a broker may log nothing: the longest time that a timer takes. */
const QUIET_MS = 2 ** 31;

/** A call may take this many times its timeout in the broker: two attempts, and some more. */
const CALL_PATIENCE = 3;

const isInspected = objectOf<InspectAnswer>({ url: orNull(isText), error: orNull(isText) });

/** Without a timeout that of the command's module holds, which only the broker knows. */
function patienceFor(timeoutMs: number | undefined): number {
  return timeoutMs === undefined ? QUIET_MS : timeoutMs * CALL_PATIENCE + ANSWER_MS;
}

/** The broker ended, or did not answer. */
export class ControlLostError extends Error {
  override readonly name = "ControlLostError";

  constructor(broker: string, cause: unknown) {
    const why = cause instanceof BrokerError ? cause.reason : messageOf(cause);
    super(`Cannot reach broker "${broker}": ${why}`, { cause });
  }
}

export class ControlClient {
  readonly #runtime: Runtime;
  readonly #broker: string;
  readonly #path: string;
  readonly #caller: CallClient;
  #link: Link | undefined;
  #connected: Promise<void> | undefined;
  #outcome: Outcome | undefined;
  #reason: string | null = null;
  #greeted: ((error?: Error) => void) | undefined;

  private constructor(runtime: Runtime, { broker, path }: BrokerPlace, outcome?: Outcome) {
    this.#runtime = runtime;
    this.#broker = broker;
    this.#path = path;
    this.#outcome = outcome;
    const own = { clock: runtime.clock, thread: () => undefined, tracesPromises: false, ownFiles: [] };
    this.#caller = newClient(own, { reporter: SILENT, module: broker, frameLimit: ASKED_LIMIT });
  }

  /** Connects to the socket of `broker`. @throws {Error} when no broker listens there or its protocol differs. */
  static async connect(runtime: Runtime, broker: string, path: string): Promise<ControlClient> {
    const client = new ControlClient(runtime, { broker, path });
    await (client.#connected = client.#connect());
    return client;
  }

  /** A client whose first command was asked before. It connects for the second one. */
  static asked(runtime: Runtime, { outcome, ...place }: Asked): ControlClient {
    return new ControlClient(runtime, place, outcome);
  }

  async status(): Promise<BrokerStatus> {
    const status = await this.#command("status", [], ANSWER_MS);
    if (!isStatus(status)) throw new TypeError("Cannot read the broker's answer: it is no status");
    return status;
  }

  /** What one module, or each, can be called with; `quiet` asks none that may log the question as an error. @throws {UnknownModuleError} */
  async describe(name: string | null, { quiet = false } = {}): Promise<readonly ModuleDescription[]> {
    const described = await this.#command("describe", [name, quiet], ANSWER_MS);
    if (!isDescription(described)) throw new TypeError("Cannot read the broker's answer: it is no description");
    return described;
  }

  /** Calls a command of a module. @throws {BrokerError} as the broker's own call would. */
  async call(
    target: string,
    command: string,
    params: readonly unknown[],
    { timeoutMs, signal, onProgress }: CallOptions,
  ): Promise<MeasuredResult> {
    const asked = [target, command, params, timeoutMs === undefined ? {} : { timeoutMs }];
    const outcome = await this.#ask("call", asked, { timeoutMs: patienceFor(timeoutMs), signal, onProgress });
    if (outcome instanceof BrokerError) throw toError(toFault(outcome), { target, command });
    const envelope = readEnvelope(outcome);
    if (!envelope.ok) throw toError(envelope.fault, { target, command });
    return readMeasured(envelope.value);
  }

  /** Streams a command of a module. @throws {BrokerError} as the broker's own stream would. */
  async *stream(
    target: string,
    command: string,
    params: readonly unknown[],
    { timeoutMs, signal }: CallOptions,
  ): AsyncGenerator<unknown> {
    const asked = [target, command, params, timeoutMs === undefined ? {} : { timeoutMs }];
    for await (const value of this.#items("stream", asked, { timeoutMs: patienceFor(timeoutMs), signal })) {
      const envelope = readItem(value);
      if ("fault" in envelope) throw toError(envelope.fault, { target, command });
      yield envelope.item;
    }
  }

  /** The records that the broker logs from now on, until `signal` or the end of the broker. */
  async *records(filter: RecordFilter, signal?: AbortSignal): AsyncGenerator<SentRecord> {
    for await (const record of this.#items("records", [filter], { timeoutMs: QUIET_MS, signal })) {
      if (!isRecord(record)) throw new TypeError("Cannot read the broker's answer: it is no record");
      yield record;
    }
  }

  /** Starts a module or worker again, or all modules. @throws {UnknownModuleError} */
  async restart(name: string | null): Promise<void> {
    await this.#command("restart", name === null ? [] : [name], PROCESSES_MS);
  }

  /** Replaces the process of a module, or those of all. Settles with the names of the modules whose process was kept. @throws {UnknownModuleError} */
  async reload(name: string | null): Promise<string[]> {
    const kept = await this.#command("reload", name === null ? [] : [name], PROCESSES_MS);
    return Array.isArray(kept) ? kept.map(String) : [];
  }

  /** Makes the workers of a module so many. Settles with why that can't be, or null. @throws {UnknownModuleError} */
  async scale(name: string, workers: number): Promise<string | null> {
    const refusal = await this.#command("scale", [name, workers], PROCESSES_MS);
    return typeof refusal === "string" ? refusal : null;
  }

  /** Opens or closes the inspector of a module or worker; its address, or null where it is closed. @throws {UnknownModuleError} */
  async inspect(name: string, open: boolean): Promise<InspectAnswer> {
    const answer = await this.#command("inspect", [name, open], ANSWER_MS);
    if (isInspected(answer)) return answer;
    throw new TypeError("Cannot read the broker's answer: it says nothing of an inspector");
  }

  /** Ends a module, or the broker. @throws {UnknownModuleError} */
  async stop(name: string | null): Promise<void> {
    await this.#command("stop", name === null ? [] : [name], PROCESSES_MS);
  }

  close(): void {
    this.#link?.close(null);
  }

  async #command(command: string, params: readonly unknown[], timeoutMs: number): Promise<unknown> {
    const outcome = await this.#ask(command, params, { timeoutMs });
    if (outcome instanceof BrokerError) throw new ControlLostError(this.#broker, outcome);
    const envelope = readEnvelope(outcome);
    if (envelope.ok) return envelope.value;
    const [target] = params;
    throw toError(envelope.fault, { target: typeof target === "string" ? target : this.#broker, command });
  }

  /** The items of a command of the broker itself. @throws {ControlLostError} */
  async *#items(command: string, params: readonly unknown[], settings: CallOptions): AsyncGenerator<unknown> {
    const { timeoutMs = ANSWER_MS, signal } = settings;
    const options = { target: this.#broker, timeoutMs, retry: "never", signal } as const;
    try {
      await this.#ready();
      yield* new CallStream(command, params, () => ({ caller: this.#caller, options }));
    } catch (error) {
      throw error instanceof BrokerError && error.code !== "REMOTE" && error.code !== "CANCELLED"
        ? new ControlLostError(this.#broker, error)
        : error;
    }
  }

  async #ask(command: string, params: readonly unknown[], settings: CallOptions): Promise<unknown> {
    const { timeoutMs = ANSWER_MS, signal, onProgress } = settings;
    const options = { target: this.#broker, timeoutMs, retry: "never", signal, onProgress } as const;
    const outcome = this.#outcome;
    this.#outcome = undefined;
    try {
      if (outcome !== undefined) return valueOf(outcome, { target: this.#broker, command });
      await this.#ready();
      return await this.#caller.call(command, params, options);
    } catch (error) {
      if (error instanceof BrokerError) return error;
      throw error;
    }
  }

  /** @throws {ControlLostError} */
  async #ready(): Promise<void> {
    try {
      await (this.#connected ??= this.#connect());
    } catch (error) {
      throw new ControlLostError(this.#broker, error);
    }
  }

  async #connect(): Promise<void> {
    const { clock } = this.#runtime;
    const link = new Link(await this.#runtime.connect(this.#path), clock, {
      frameLimit: DEFAULT_FRAME_LIMIT,
      events: {
        frame: (type, flags, body) => this.#frame(link, type, flags, body),
        refused: () => {},
        drained: () => this.#caller.drained(),
        closed: (reason) => this.#closed(reason),
      },
    });
    this.#link = link;
    const own = { broker: this.#broker, process: "brokkr", codecs: CODECS };
    link.send(FrameType.hello, helloText(helloOf(this.#runtime, own)));
    const greeted = new Promise<void>((resolve, reject) => {
      this.#greeted = (error) => error === undefined ? resolve() : reject(error);
    });
    const late = `Cannot talk to broker "${this.#broker}": it said no hello in ${ANSWER_MS / 1000}s, ` +
      "it is suspended (as by Ctrl-Z: kill -CONT) or too busy";
    try {
      await within(clock, ANSWER_MS, greeted, late);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #frame(link: Link, type: number, flags: number, body: Uint8Array): void {
    if (type === FrameType.hello) this.#greet(link, body);
    else if (type === FrameType.answers) this.#caller.answers(flags, body);
    else if (type === FrameType.close) this.#reason = readCloseReason(body);
  }

  #greet(link: Link, body: Uint8Array): void {
    try {
      link.negotiate(readHello(body).codecs);
      this.#caller.connect(link);
      this.#greeted?.();
    } catch (error) {
      this.#greeted?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #closed(reason: string | null): void {
    const why = this.#reason ?? reason ?? "the broker ended";
    this.#greeted?.(new Error(`Cannot talk to broker "${this.#broker}": ${why}`));
    this.#caller.refuse(goneFault(why));
  }
}

/** What was answered. @throws {BrokerError} as a call would. */
function valueOf(outcome: Outcome, target: CallTarget): unknown {
  if ("lost" in outcome) {
    throw toError(goneFault(outcome.lost), target);
  }
  const { kinds, values } = readAnswers(outcome.flags, outcome.body);
  const at = Math.max(0, kinds?.findIndex((kind) => kind !== AnswerKind.progress) ?? 0);
  const fault = faultOf(kinds?.[at] ?? AnswerKind.value, values[at]);
  if (fault !== undefined) throw toError(fault, target);
  return values[at];
}

/** The broker speaks the same protocol, so this check is enough. */
function isRecord(value: unknown): value is SentRecord {
  return typeof value === "object" && value !== null && "event" in value && "lines" in value &&
    Array.isArray(value.lines);
}

export interface FoundBroker {
  readonly name: string;
  readonly path: string;
}

/** The live brokers of this user, by name. @throws when the folder of the sockets can't be trusted. */
export async function findBrokers(runtime: Runtime): Promise<FoundBroker[]> {
  const files = await runtime.files();
  const folder = files.folder(CONTROL_FOLDER);
  const found: FoundBroker[] = [];
  for (const file of files.list(folder).toSorted()) {
    const name = brokerOf(file);
    if (name === null) continue;
    const path = socketPath(folder, name);
    if (await isLive(runtime, path)) found.push({ name, path });
  }
  return found;
}
