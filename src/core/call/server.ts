/**
 * The callee's side: runs each call once, however often it arrives, and always answers.
 *
 * @module
 */

import { BrokerError, type BrokerFault, faultFields, type ThrownError, thrownFields, toFault } from "../faults.ts";
import { formatParams } from "../log/params.ts";
import { MAIN_THREAD } from "../log/record.ts";
import type { Reporter } from "../log/reporter.ts";
import { stackLines } from "../log/stack.ts";
import { applyUser } from "../log/user_stack.ts";
import type { CallContext, Handler } from "../module/module.ts";
import { isGenerator, isStreamable, isThenable } from "../module/result.ts";
import { nearest } from "../nearest.ts";
import { isError, messageOf } from "../thrown.ts";
import { BodyReader, type EncodedValue, type PayloadFault } from "../wire/codec.ts";
import { type AnswerEntry, AnswerKind, type ReceivedCall } from "../wire/columns.ts";
import { FrameType } from "../wire/frame.ts";
import { readJson } from "../wire/json_codec.ts";
import type { Link } from "../wire/link.ts";
import type { CallHeaders } from "../wire/messages.ts";
import { ResponseBatcher } from "./batcher.ts";
import { describeThrown } from "./describe_thrown.ts";
import { ReplyCache } from "./reply_cache.ts";
import { OutgoingStream } from "./stream.ts";

/** The commands a callee runs. */
export interface Service {
  readonly commands: Pick<ReadonlyMap<string, Handler>, "get" | "keys">;
  /** Runs a call that is meant for another module. Its rejections with a `BrokerError` are passed on as they are. */
  forward?(call: ReceivedCall & { readonly options: CallHeaders }, context: RunningCall): Promise<unknown>;
}

/** What a handler rejects with that stands for someone else, was cancelled, and got no answer: its caller gets none either. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

/** What a peer may have without an answer at the same time. */
export interface ServerLimits {
  readonly calls: number;
  /** Of the frames that they came in. */
  readonly bytes: number;
}

/** No brokkr has more out on one channel: its callers wait before. */
const MOST_OF_A_PEER: ServerLimits = { calls: 65_536, bytes: 64 * 1024 * 1024 };

export interface CallServerOptions {
  readonly reporter: Reporter;
  readonly service: Service;
  /** The module in the prefix of the lines. */
  readonly module: string;
  /** Who is on the other side of the link. */
  readonly peer: string;
  readonly frameLimit: number;
  readonly ownFiles: readonly string[];
  /** @default what a brokkr may have out */
  readonly limits?: ServerLimits;
  /**
   * Whether calls in a frame that can't be read get an answer that says so, as far as their ids can be told. One brokkr sends them to
   * another again instead, and has them run. @default false
   */
  readonly answersRefused?: boolean;
}

export class CallServer {
  readonly #link: Link;
  readonly #options: CallServerOptions;
  readonly #lines: ServerReporter;
  readonly #replies: ResponseBatcher;
  readonly #kept: ReplyCache;
  readonly #bodies: BodyReader;
  /** Calls that came and do not run yet: before `open`, or while the caller does not read its answers. */
  readonly #held = new Map<RunningCall, ReceivedCall>();
  readonly #limits: ServerLimits;
  /** One function, so that it waits once however often it is wanted. */
  readonly #goOn = () => this.#runHeld();
  #isOpen = false;
  #idle: (() => void) | undefined;

  constructor(link: Link, options: CallServerOptions) {
    this.#link = link;
    this.#options = options;
    this.#limits = options.limits ?? MOST_OF_A_PEER;
    this.#bodies = new BodyReader(link);
    this.#lines = new ServerReporter(options.reporter, options.module, options.ownFiles);
    this.#replies = new ResponseBatcher(link, options.frameLimit, this.#goOn);
    this.#kept = new ReplyCache(link.clock, (answer) => this.#replies.release(answer));
  }

  /** Calls that came before were kept waiting; from now on they run as they come. */
  open(): void {
    this.#isOpen = true;
    this.#runHeld();
  }

  /** Takes what is for a callee; false where the frame is not. @throws {BodyError} when the frame can't be understood. */
  receive(type: number, flags: number, body: Uint8Array): boolean {
    if (type === FrameType.calls) this.#calls(flags, body);
    else if (type === FrameType.cancel) this.#cancel(body);
    else if (type === FrameType.credit) this.#credit(body);
    else return false;
    return true;
  }

  #calls(flags: number, body: Uint8Array): void {
    const frame = this.#read(flags, body);
    if (frame === undefined) return;
    this.#kept.settledBelow(frame.settledBelow);
    const bytes = (body.length + (this.#link.outOfBand?.bytes ?? 0)) / frame.calls.length;
    for (const call of frame.calls) {
      if (this.#link.closed) return;
      try {
        this.#arrive(call, bytes);
      } catch (error) {
        // The other calls of the frame are not at fault.
        this.#link.clock.throwUncaught(error);
      }
    }
    // The caller works on these answers while the next calls run.
    this.#replies.flush();
  }

  #read(flags: number, body: Uint8Array): ReturnType<BodyReader["calls"]> {
    try {
      return this.#bodies.calls(flags, body);
    } catch (error) {
      if (this.#options.answersRefused === true) this.#answerRefused(this.#bodies.idsOf(flags, body), messageOf(error));
      throw error;
    }
  }

  #answerRefused(ids: readonly number[], reason: string): void {
    const thrown = { name: "BodyError", message: `the frame of the call was refused: ${reason}`, stack: "" };
    const value = this.#replies.encode(thrownFields(thrown));
    if ("code" in value) return;
    for (const id of ids.slice(0, this.#limits.calls)) {
      if (!this.#replies.isRead) return;
      if (this.#kept.find(id) === undefined) this.#replies.add({ id, attempt: 1, kind: AnswerKind.thrown, value });
    }
  }

  #cancel(body: Uint8Array): void {
    const ids = readJson(body);
    for (const id of Array.isArray(ids) ? ids : []) this.#kept.find(id)?.cancel("the caller cancelled the call");
  }

  #credit(body: Uint8Array): void {
    const columns = readJson(body);
    for (const entry of Array.isArray(columns) ? columns : []) {
      const [id, count]: unknown[] = Array.isArray(entry) ? entry : [];
      if (typeof id === "number" && typeof count === "number") this.#kept.find(id)?.stream?.took(count);
    }
  }

  /** The link is gone: handlers are told, their answers go nowhere. */
  abort(): void {
    this.#kept.close();
    for (const call of this.#kept.running) call.cancel("the caller is gone");
  }

  /** Settles when no call runs. */
  async idle(): Promise<void> {
    if (this.#kept.runningCount === 0) return;
    await new Promise<void>((resolve) => this.#idle = resolve);
  }

  #arrive(call: ReceivedCall, bytes: number): void {
    if (!this.#kept.isNew(call.id)) {
      // Where the caller does not read, the answer is still on its way.
      if (!this.#replies.isRead) return;
      const answer = this.#kept.again(call.id, call.attempt);
      if (answer !== undefined) this.#replies.add(answer);
      return;
    }
    const running = new RunningCall(call, call.options?.caller ?? this.#options.peer, this.#told);
    running.bytes = bytes;
    const full = this.#whyFull();
    if (full !== undefined) return this.#turnAway(running, full);
    // Behind the first one that is held they all wait for it.
    if (this.#held.size === 0 && this.#isOpen && this.#replies.isRead) return this.#run(running, call);
    this.#kept.runsOn(running);
    this.#held.set(running, call);
    if (this.#held.size === 1) this.#runHeld();
  }

  #whyFull(): BrokerFault | undefined {
    const { runningCount, runningBytes } = this.#kept;
    const { calls, bytes } = this.#limits;
    if (runningCount >= calls) return { code: "QUEUE_FULL", depth: runningCount, limit: calls };
    if (runningBytes >= bytes) return { code: "QUEUE_FULL", depth: runningBytes, limit: bytes };
    return undefined;
  }

  /** Answers that nobody reads would fill the memory, too. */
  #turnAway(running: RunningCall, full: BrokerFault): void {
    if (this.#replies.isRead) this.#settle(running, AnswerKind.fault, full);
    else this.#link.abort("the peer calls and does not read its answers");
  }

  #runHeld(): void {
    if (!this.#isOpen) return;
    for (const [running, call] of this.#held) {
      if (!this.#replies.isRead) return this.#replies.onceRead(this.#goOn);
      this.#held.delete(running);
      this.#run(running, call);
    }
  }

  #run(running: RunningCall, call: ReceivedCall): void {
    if (running.cancelled) return this.#settle(running, AnswerKind.fault, { code: "CANCELLED", acknowledged: true });
    const { forward, commands } = this.#options.service;
    const { options } = call;
    if (options?.target !== undefined && forward !== undefined) {
      const result = forward.call(this.#options.service, { ...call, options }, running);
      return this.#await(running, result, call);
    }
    const handler = commands.get(call.command);
    if (handler === undefined) return this.#unknown(running);
    this.#lines.executing(call.command, call.params);
    this.#execute(running, handler, call);
  }

  #execute(running: RunningCall, handler: Handler, call: ReceivedCall): void {
    try {
      const result: unknown = applyUser(handler, running, call.params);
      if (isThenable(result)) this.#await(running, Promise.resolve(result), call);
      else this.#end(running, result, call);
    } catch (error) {
      this.#fail(running, error, false);
    }
  }

  #await(running: RunningCall, result: Promise<unknown>, call: ReceivedCall): void {
    this.#kept.runsOn(running);
    const forwarded = call.options?.target !== undefined;
    result.then((value) => this.#end(running, value, call), (error) => this.#fail(running, error, forwarded));
  }

  #end(running: RunningCall, value: unknown, { options }: ReceivedCall): void {
    if (options?.stream !== true) return this.#succeed(running, value);
    this.#kept.runsOn(running);
    void this.#stream(running, value, options.target !== undefined);
  }

  async #stream(running: RunningCall, value: unknown, forwarded: boolean): Promise<void> {
    try {
      if (!isStreamable(value)) throw new TypeError("the command yields nothing, use call() instead of stream()");
      const stream = running.stream = new OutgoingStream(value);
      if (running.cancelled) stream.stop();
      const end = await stream.run((item) => this.#sendPart(running, AnswerKind.item, item));
      if ("code" in end) this.#refuse(running, end);
      else this.#succeed(running, end.value);
    } catch (error) {
      this.#fail(running, error, forwarded);
    }
  }

  #sendPart(running: RunningCall, kind: number, part: unknown): number | PayloadFault {
    const encoded = this.#replies.encode(part);
    if ("code" in encoded) return encoded;
    this.#replies.addPart({ id: running.id, attempt: running.attempt, kind, value: encoded });
    return encoded.bytes;
  }

  /** Progress is told where someone listens; what comes while the caller does not read is left out. */
  readonly #told = (running: RunningCall, value: unknown): void => {
    if (running.isOver || !this.#replies.isRead) return;
    const sent = this.#sendPart(running, AnswerKind.progress, value);
    if (typeof sent !== "number") throw new TypeError(`Cannot tell progress: ${sent.reason}`);
  };

  #succeed(running: RunningCall, value: unknown): void {
    if (value === undefined) return this.#settle(running, AnswerKind.nothing, null);
    let encoded: EncodedValue | PayloadFault;
    try {
      if (typeof value === "object" && value !== null && isGenerator(value)) {
        throw new TypeError("the command yields its result, use stream() instead of call()");
      }
      encoded = this.#replies.encode(value);
    } catch (error) {
      return this.#fail(running, error, false);
    }
    if ("code" in encoded) return this.#refuse(running, encoded);
    const { id, attempt } = running;
    this.#done(running, { id, attempt, kind: AnswerKind.value, value: encoded });
  }

  #refuse(running: RunningCall, fault: BrokerFault): void {
    if (fault.code === "PAYLOAD") this.#lines.unsendable(running.command, fault.reason);
    this.#settle(running, AnswerKind.fault, fault);
  }

  #fail(running: RunningCall, error: unknown, forwarded: boolean): void {
    if (forwarded && isError(error) && error instanceof BrokerError) {
      return this.#settle(running, AnswerKind.fault, toFault(error));
    }
    if (isError(error) && error instanceof UnansweredError) {
      return this.#settle(running, AnswerKind.fault, { code: "CANCELLED", acknowledged: false });
    }
    const thrown = describeThrown(error);
    this.#lines.threw(running.command, thrown);
    this.#settle(running, AnswerKind.thrown, thrown);
  }

  #unknown(running: RunningCall): void {
    const { command } = running;
    this.#lines.unknown(command);
    const near = nearest(command, this.#options.service.commands.keys());
    this.#settle(running, AnswerKind.fault, { code: "UNKNOWN_COMMAND", nearest: near });
  }

  #settle(running: RunningCall, kind: number, value: BrokerFault | ThrownError | null): void {
    const travelling = value === null ? null : "code" in value ? faultFields(value) : thrownFields(value);
    const encoded = this.#replies.encode(travelling);
    if ("code" in encoded) return this.#settle(running, AnswerKind.fault, encoded);
    this.#done(running, { id: running.id, attempt: running.attempt, kind, value: encoded });
  }

  #done(running: RunningCall, answer: AnswerEntry): void {
    // A promise with a `then` of its own may settle twice.
    if (running.isOver) return;
    this.#kept.answered(running, answer);
    this.#replies.add(answer);
    if (this.#kept.runningCount === 0) this.#idle?.();
  }
}

export class RunningCall implements CallContext {
  readonly id: number;
  readonly attempt: number;
  readonly caller: string;
  readonly command: string;
  /** What the handler yields, where the call is a stream. */
  stream: OutgoingStream | undefined;
  /** Its part of the frame that it came in. */
  bytes = 0;
  /** Whether its answer was given. */
  isOver = false;
  readonly #told: (call: RunningCall, value: unknown) => void;
  #controller: AbortController | undefined;

  /** @param told gets what the handler tells of its progress. */
  constructor(
    call: { readonly id: number; readonly attempt: number; readonly command: string },
    caller: string,
    told: (call: RunningCall, value: unknown) => void,
  ) {
    this.#told = told;
    this.id = call.id;
    this.attempt = call.attempt;
    this.caller = caller;
    this.command = call.command;
  }

  /** Made when it is first looked at: most handlers never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  progress(value: unknown): void {
    this.#told(this, value);
  }

  get cancelled(): boolean {
    return this.#controller?.signal.aborted === true;
  }

  cancel(reason: string): void {
    this.#controller ??= new AbortController();
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(new Error(reason));
    this.stream?.stop();
  }
}

export class ServerReporter {
  readonly #reporter: Reporter;
  readonly #module: string;
  readonly #ownFiles: readonly string[];

  /** @param module stands in the prefix of the lines. */
  constructor(reporter: Reporter, module: string, ownFiles: readonly string[]) {
    this.#reporter = reporter;
    this.#module = module;
    this.#ownFiles = ownFiles;
  }

  executing(command: string, params: readonly unknown[]): void {
    if (!this.#reporter.wants("command.executing")) return;
    const fields = { command, params: formatParams(params) };
    this.#reporter.report("command.executing", fields, { module: this.#module, thread: MAIN_THREAD });
  }

  threw(command: string, thrown: ThrownError): void {
    this.#failed(command, thrown.message || thrown.name, stackLines(thrown, this.#ownFiles));
  }

  /** Something of the command could not be sent. */
  unsendable(command: string, reason: string): void {
    this.#failed(command, reason, []);
  }

  unknown(command: string): void {
    this.#reporter.report("command.unknown", { command }, { module: this.#module });
  }

  #failed(command: string, message: string, stack: readonly string[]): void {
    this.#reporter.report("command.error", { command, message, stack }, { module: this.#module });
  }
}
