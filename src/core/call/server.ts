/** The callee's side: runs each call once, however often it arrives, and always answers. */

import { BrokerError, type BrokerFault, faultFields, type ThrownError, thrownFields, toFault } from "../faults.ts";
import { formatParams } from "../log/escape.ts";
import { MAIN_THREAD, type Reporter } from "../log/reporter.ts";
import { describeThrown, stackLines } from "../log/stack.ts";
import type { CallContext, Handler } from "../module/definition.ts";
import { attempt, closestMatch } from "../checks.ts";
import { applyUser, isError, isGenerator, isStreamable, isThenable, messageOf, objectText } from "../user_code.ts";
import type { EncodedValue, PayloadFault } from "../wire/codec.ts";
import { type AnswerEntry, idsOf, readCalls, type ReceivedCall, type ReceivedCalls } from "../wire/columns.ts";
import { AnswerKind, FrameType, readJson } from "../wire/frame.ts";
import type { Link } from "../wire/link.ts";
import { PlainValue } from "../wire/serializable.ts";
import { ResponseBatcher, worthOf } from "./batcher.ts";
import { type ReceivedOnce, ReplyCache } from "./reply_cache.ts";
import { type Caller, CallStream, OutgoingStream, type StreamTarget } from "./stream.ts";
import { Call, type CallRequest, PASSING_PATIENCE, type Relay } from "./call.ts";

/** The commands that a callee runs. */
export interface Service {
  readonly commands: Pick<ReadonlyMap<string, Handler>, "get" | "keys">;
  /** Whether an error that a command threw is an answer. */
  expects?(error: unknown): boolean;
  /** The module that every call is for, whatever the call names itself. @default the one that the call names, if it does */
  readonly target?: string;
  /**
   * Runs a call that is for another module, or says where it goes. What it throws of `BrokerError` is passed on as it is.
   *
   * @param target undefined for the process at this end of the link.
   */
  forward?(call: ReceivedCall, context: RunningCall, target: string | undefined): Onward | Promise<unknown>;
}

/** A handler that stands for a process of its own was cancelled and got no answer from it: its caller gets none either. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

/** What a peer may have in flight at the same time. */
export interface ServerLimits {
  readonly calls: number;
  /** Of the frames in which they came. */
  readonly bytes: number;
  /** Bytes of answers that wait for a peer that does not read. Beyond it a call that ends is answered without its result. @default 256 MiB */
  readonly unreadBytes?: number;
}

/** Above what brokkr's own client ever has in flight on one channel: beyond its limits calls wait in the queue. */
const MOST_UNREAD_BYTES = 256 * 1024 * 1024;
const MOST_OF_A_PEER: ServerLimits = { calls: 65_536, bytes: 64 * 1024 * 1024 };

export interface CallServerOptions {
  readonly reporter: Reporter;
  readonly service: Service;
  /** The module in the prefix of the lines. */
  readonly module: string;
  /** Name of the process at the other end of the link. */
  readonly peer: string;
  /** The node that the calls come from, which stands behind the name of each caller. @default this one */
  readonly node?: string;
  readonly frameLimit: number;
  readonly ownFiles: readonly string[];
  /** @default what brokkr's own client may have in flight */
  readonly limits?: ServerLimits;
  /**
   * Whether the calls of a frame that can't be read get an answer that says so, as far as their ids can be read. Between two processes
   * of brokkr the second attempt sends them again, and they run. @default false
   */
  readonly answersRefused?: boolean;
}

export class CallServer {
  readonly #link: Link;
  readonly #options: CallServerOptions;
  readonly #batcher: ResponseBatcher;
  readonly #cache: ReplyCache<RunningCall>;
  /** Calls that arrived and do not run yet: before `open`, or while the caller does not read its answers. */
  readonly #held = new Map<RunningCall, ReceivedCall>();
  readonly #limits: ServerLimits;
  /** Bytes of answers that leave before the others of their turn. */
  #worth = 0;
  /** One function, so that the link calls it once, however often it was passed. */
  readonly #runHeldCalls = () => this.#runHeld();
  readonly #turn: Turn;
  /** Who made the last call of another node, and the name that it has here. */
  #remote: { readonly caller: string; readonly name: string } | undefined;
  /** The calls of this turn took so long that the next ones wait for another. */
  #isTurnOver = false;
  /** Of the calls whose process has just become silent, or sends again: the id, and for how many milliseconds it was. */
  #silences: (readonly [id: number, ms: number | null])[] = [];
  #isOpen = false;
  #idle: (() => void) | undefined;

  constructor(link: Link, options: CallServerOptions) {
    this.#link = link;
    this.#options = options;
    this.#limits = options.limits ?? MOST_OF_A_PEER;
    this.#batcher = new ResponseBatcher(link, options.frameLimit, this.#runHeldCalls);
    this.#cache = new ReplyCache<RunningCall>(link.clock, (answer) => this.#batcher.release(answer));
    this.#turn = new Turn(link);
  }

  /** Runs the calls that arrived before and wait; from now on calls run as they arrive. */
  open(): void {
    this.#isOpen = true;
    this.#turn.begin();
    this.#runHeld();
  }

  /** Handles a frame of a caller; false for any other. @throws {BodyError} where the frame can't be understood. */
  receive(type: number, flags: number, body: Uint8Array): boolean {
    if (type === FrameType.calls) this.#calls(flags, body);
    else if (type === FrameType.cancel) this.#cancel(body);
    else if (type === FrameType.credit) this.#credit(body);
    else return false;
    return true;
  }

  #calls(flags: number, body: Uint8Array): void {
    const frame = this.#read(flags, body);
    this.#cache.settledBelow(frame.settledBelow);
    const bytes = (body.length + (this.#link.outOfBand?.bytes ?? 0)) / frame.calls.length;
    this.#worth = worthOf(frame, body.length);
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
    this.#batcher.flush();
  }

  #read(flags: number, body: Uint8Array): ReceivedCalls {
    try {
      return readCalls(flags, body, this.#link.outOfBand);
    } catch (error) {
      if (this.#options.answersRefused === true) this.#answerRefused(idsOf(flags, body), messageOf(error));
      throw error;
    }
  }

  #answerRefused(ids: readonly number[], reason: string): void {
    const thrown = { name: "BodyError", message: `the frame of the call was refused: ${reason}`, stack: "" };
    const value = this.#batcher.encode(thrownFields(thrown));
    if ("code" in value) return;
    for (const id of ids.slice(0, this.#limits.calls)) {
      if (!this.#batcher.isRead) return;
      if (this.#cache.find(id) === undefined) this.#batcher.add({ id, attempt: 1, kind: AnswerKind.thrown, value });
    }
  }

  #cancel(body: Uint8Array): void {
    const ids = readJson(body);
    for (const id of Array.isArray(ids) ? ids : []) this.#cache.find(id)?.cancel("the caller cancelled the call");
  }

  #credit(body: Uint8Array): void {
    const columns = readJson(body);
    for (const entry of Array.isArray(columns) ? columns : []) {
      const [id, count]: unknown[] = Array.isArray(entry) ? entry : [];
      if (typeof id === "number" && typeof count === "number") this.#cache.find(id)?.stream?.took(count);
    }
  }

  /** The link is gone: the handlers' signals are aborted, and their answers are dropped. */
  abort(): void {
    this.#cache.close();
    for (const call of this.#cache.running) call.cancel("the caller is gone");
  }

  /** Calls that have arrived and are not answered. */
  get running(): number {
    return this.#cache.runningCount;
  }

  /** Settles when no call runs. */
  async idle(): Promise<void> {
    if (this.#cache.runningCount === 0) return;
    await new Promise<void>((resolve) => this.#idle = resolve);
  }

  #arrive(call: ReceivedCall, bytes: number): void {
    if (!this.#cache.isNew(call.id)) {
      // Where the caller does not read, the answer is still on its way.
      if (!this.#batcher.isRead) return;
      const answer = this.#cache.again(call.id, call.attempt);
      if (answer !== undefined) this.#batcher.add(answer);
      return;
    }
    const running = new RunningCall(call, this.#callerOf(call), this.#sendProgress, this.#sendSilence);
    running.bytes = bytes;
    const full = this.#checkCapacity();
    if (full !== undefined) return this.#reject(running, full);
    // Calls run in the order of their arrival: behind one that is held, the next are held too.
    if (this.#held.size === 0 && this.#mayRun()) return this.#run(running, call);
    this.#cache.keepRunning(running);
    this.#held.set(running, call);
    if (this.#held.size === 1) this.#runHeld();
  }

  #callerOf({ options }: ReceivedCall): string {
    const { peer, node } = this.#options;
    const caller = options?.caller ?? peer;
    if (node === undefined) return caller;
    // Mostly the one of the call before: a text that is joined anew for each call is compared and written the slower.
    if (this.#remote?.caller !== caller) this.#remote = { caller, name: `${caller}@${node}` };
    return this.#remote.name;
  }

  #checkCapacity(): BrokerFault | undefined {
    const { runningCount, runningBytes } = this.#cache;
    const { calls, bytes } = this.#limits;
    if (runningCount >= calls) return { code: "QUEUE_FULL", depth: runningCount, limit: calls };
    if (runningBytes >= bytes) return { code: "QUEUE_FULL", depth: runningBytes, limit: bytes };
    return undefined;
  }

  /** Even rejections would fill the memory of a callee whose answers nobody reads. */
  #reject(running: RunningCall, full: BrokerFault): void {
    if (this.#batcher.isRead) this.#settle(running, AnswerKind.fault, full);
    else this.#link.abort("the peer calls and does not read its answers");
  }

  #runHeld(): void {
    for (const [running, call] of this.#held) {
      if (!this.#mayRun()) return;
      this.#held.delete(running);
      this.#run(running, call);
    }
  }

  /** False where the next call has to wait; what it waits for runs those that are held. */
  #mayRun(): boolean {
    if (!this.#isOpen || this.#isTurnOver) return false;
    if (!this.#batcher.isRead) {
      this.#batcher.onceRead(this.#runHeldCalls);
      return false;
    }
    if (this.#turn.hasTime()) return true;
    this.#isTurnOver = true;
    this.#link.clock.soon(() => this.#nextTurn());
    return false;
  }

  #nextTurn(): void {
    this.#isTurnOver = false;
    if (this.#link.closed) return;
    this.#turn.begin();
    this.#runHeld();
    this.#batcher.flush();
  }

  #run(running: RunningCall, call: ReceivedCall): void {
    if (running.cancelled) return this.#settle(running, AnswerKind.fault, { code: "CANCELLED", acknowledged: true });
    const { service } = this.#options;
    const { forward, commands, target } = service;
    if (forward !== undefined && this.#isForwarded(call)) {
      try {
        const result = forward.call(service, call, running, target ?? call.options?.target);
        if (Onward.is(result)) return this.#pass(running, result, call);
        return this.#await(running, result, call);
      } catch (error) {
        return this.#fail(running, error, true);
      }
    }
    const handler = commands.get(call.command);
    if (handler === undefined) return this.#unknown(running);
    this.#reportExecuting(call);
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
    this.#cache.keepRunning(running);
    const forwarded = this.#isForwarded(call);
    result.then((value) => this.#end(running, value, call), (error) => this.#fail(running, error, forwarded));
  }

  #isForwarded({ options }: ReceivedCall): boolean {
    return options?.target !== undefined || this.#options.service.target !== undefined;
  }

  /** The outcome that the call has where it goes is its outcome here. */
  #pass(running: RunningCall, { caller, options }: Onward, call: ReceivedCall): void {
    const { command, options: headers } = call;
    this.#cache.keepRunning(running);
    if (running.cancelled) return this.#settle(running, AnswerKind.fault, { code: "CANCELLED", acknowledged: true });
    const params = call.isPlain ? new PlainValue(call.params) : call.params;
    if (headers?.stream === true) {
      const request = { ...options, signal: running.signal, relay: running };
      return void this.#stream(running, new CallStream(command, params, () => ({ caller, options: request })), true);
    }
    const passed = new Call(command, options, {
      resolve: (value) => this.#succeed(running, value),
      reject: (fault) => this.#settle(running, AnswerKind.fault, fault),
    });
    passed.progress = running;
    running.onCancel = () => caller.cancel(passed);
    caller.submit(passed, params);
  }

  #end(running: RunningCall, value: unknown, call: ReceivedCall): void {
    if (Onward.is(value)) return this.#pass(running, value, call);
    if (call.options?.stream !== true) return this.#succeed(running, value);
    this.#cache.keepRunning(running);
    void this.#stream(running, value, this.#isForwarded(call));
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
    const encoded = this.#batcher.encode(part);
    if ("code" in encoded) return encoded;
    this.#batcher.addPart({ id: running.id, attempt: running.attempt, kind, value: encoded });
    return encoded.bytes;
  }

  /** Progress that comes while the caller does not read is left out. */
  readonly #sendProgress = (running: RunningCall, value: unknown): void => {
    if (running.isOver || !this.#batcher.isRead) return;
    const sent = this.#sendPart(running, AnswerKind.progress, value);
    if (typeof sent !== "number") throw new TypeError(`Cannot send progress: ${sent.reason}`);
  };

  readonly #sendSilence = ({ id, isOver }: RunningCall, ms: number | null): void => {
    if (isOver) return;
    this.#silences.push([id, ms]);
    this.#link.schedule(this.#sendSilences);
  };

  readonly #sendSilences = (): void => {
    if (this.#batcher.isRead) this.#link.send(FrameType.pong, objectText(this.#silences));
    this.#silences = [];
  };

  #succeed(running: RunningCall, value: unknown): void {
    if (value === undefined) return this.#settle(running, AnswerKind.nothing, null);
    // Calls that ran when the caller stopped reading may end with more than the memory holds.
    const { unreadBytes: limit = MOST_UNREAD_BYTES } = this.#limits;
    if (this.#batcher.isOver(limit)) {
      return this.#settle(running, AnswerKind.fault, { code: "QUEUE_FULL", depth: this.#batcher.unreadBytes, limit });
    }
    let encoded: EncodedValue | PayloadFault;
    try {
      if (typeof value === "object" && value !== null && isGenerator(value)) {
        throw new TypeError("the command yields its result, use stream() instead of call()");
      }
      encoded = this.#batcher.encode(value);
    } catch (error) {
      return this.#fail(running, error, false);
    }
    if ("code" in encoded) return this.#refuse(running, encoded);
    const { id, attempt } = running;
    this.#done(running, { id, attempt, kind: AnswerKind.value, value: encoded });
  }

  #refuse(running: RunningCall, fault: BrokerFault): void {
    if (fault.code === "PAYLOAD") this.#reportError(running.command, fault.reason, []);
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
    if (this.#options.service.expects?.(error) === true) {
      return this.#settle(running, AnswerKind.thrown, { ...thrown, expected: true });
    }
    this.#reportError(running.command, thrown.message || thrown.name, stackLines(thrown, this.#options.ownFiles));
    this.#settle(running, AnswerKind.thrown, thrown);
  }

  #unknown(running: RunningCall): void {
    const { command } = running;
    const { module, reporter } = this.#options;
    reporter.report("command.unknown", { command }, { module });
    const near = closestMatch(command, this.#options.service.commands.keys());
    this.#settle(running, AnswerKind.fault, { code: "UNKNOWN_COMMAND", nearest: near });
  }

  #settle(running: RunningCall, kind: number, value: BrokerFault | ThrownError | null): void {
    const travelling = value === null ? null : "code" in value ? faultFields(value) : thrownFields(value);
    const encoded = this.#batcher.encode(travelling);
    if ("code" in encoded) return this.#settle(running, AnswerKind.fault, encoded);
    this.#done(running, { id: running.id, attempt: running.attempt, kind, value: encoded });
  }

  #done(running: RunningCall, answer: AnswerEntry): void {
    // A promise with a `then` of its own may settle twice.
    if (running.isOver) return;
    this.#cache.answered(running, answer);
    this.#batcher.add(answer);
    // What leaves makes room, in which those that are held would run within this one.
    if (this.#held.size === 0) this.#batcher.flushFrom(this.#worth);
    if (this.#cache.runningCount === 0) this.#idle?.();
  }

  #reportExecuting({ command, params }: ReceivedCall): void {
    const { module, reporter } = this.#options;
    if (!reporter.wants("command.executing")) return;
    const fields = { command, params: formatParams(params) };
    reporter.report("command.executing", fields, { module, thread: MAIN_THREAD });
  }

  #reportError(command: string, message: string, stack: readonly string[]): void {
    const { module, reporter } = this.#options;
    reporter.report("command.error", { command, message, stack }, { module });
  }
}

/** One call that runs, and its handler's `this`. */
export class RunningCall implements CallContext, ReceivedOnce, Relay {
  readonly id: number;
  readonly attempt: number;
  readonly caller: string;
  readonly command: string;
  /** The items that the handler yields, where the call is a stream. */
  stream: OutgoingStream | undefined;
  bytes = 0;
  isOver = false;
  /** Cancels it where it was passed on to. */
  onCancel: (() => void) | undefined;
  readonly #sendProgress: (call: RunningCall, value: unknown) => void;
  readonly #sendSilence: ((call: RunningCall, ms: number | null) => void) | undefined;
  #controller: AbortController | undefined;

  /** @param sendProgress gets what the handler passes to `progress`. */
  constructor(
    call: { readonly id: number; readonly attempt: number; readonly command: string },
    caller: string,
    sendProgress: (call: RunningCall, value: unknown) => void,
    sendSilence?: (call: RunningCall, ms: number | null) => void,
  ) {
    this.#sendProgress = sendProgress;
    this.#sendSilence = sendSilence;
    this.id = call.id;
    this.attempt = call.attempt;
    this.caller = caller;
    this.command = call.command;
  }

  /** Made when it is first read: most handlers never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Bound, so that a handler can pass it on as the `onProgress` of a call of its own. */
  get progress(): (value: unknown) => void {
    return (value) => this.#sendProgress(this, value);
  }

  /** Progress of the process that it was passed on to. A value that can't be sent is left out. */
  push(value: unknown): void {
    attempt(() => this.#sendProgress(this, value));
  }

  /** The process that it was passed on to has sent nothing for `ms`, or with null sends again. */
  silent(ms: number | null): void {
    this.#sendSilence?.(this, ms);
  }

  get cancelled(): boolean {
    return this.#controller?.signal.aborted === true;
  }

  cancel(reason: string): void {
    this.#controller ??= new AbortController();
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(new Error(reason));
    this.stream?.stop();
    this.onCancel?.();
  }
}

/** Commands that compute run so long in one turn of the event loop; then it turns, with what it owes to others. */
const TURN_MS = 20;
/** So many calls run without a look at the clock, which costs as much as a tenth of a short call. */
const UNSEEN_CALLS = 4;

/**
 * How long the calls of one turn of the event loop have run. Without a limit, many that compute would hold up each other's answers, and
 * heartbeats, cancellations and signals, until the last one is over.
 */
class Turn {
  readonly #link: Link;
  #begunAt = -Infinity;
  #receivedAt = -Infinity;
  #calls = 0;
  #nextLook = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** A turn in which nothing has to arrive. */
  begin(): void {
    this.#start(this.#link.clock.now());
  }

  /** Whether another call may run. The first one always may. */
  hasTime(): boolean {
    if (this.#receivedAt !== this.#link.receivedAt) this.#start(this.#link.receivedAt);
    if (++this.#calls < this.#nextLook) return true;
    const ms = this.#link.clock.now() - this.#begunAt;
    this.#nextLook = this.#calls + (ms < TURN_MS / UNSEEN_CALLS ? Math.min(this.#calls, UNSEEN_CALLS) : 1);
    return ms < TURN_MS;
  }

  #start(now: number): void {
    this.#receivedAt = this.#link.receivedAt;
    this.#begunAt = now;
    this.#calls = 0;
    this.#nextLook = 2;
  }
}

/** Where a call goes that is for another process. */
export class Onward implements StreamTarget {
  readonly caller: Caller;
  readonly #options: CallRequest;

  /**
   * The first caller times out, retries and logs, so the process in between does not.
   *
   * @param request `timeoutMs` is the first caller's.
   */
  constructor(caller: Caller, request: Pick<CallRequest, "target" | "timeoutMs" | "thread" | "wire">) {
    this.caller = caller;
    const timeoutMs = request.timeoutMs * PASSING_PATIENCE;
    this.#options = { ...request, timeoutMs, retry: "never", passedOn: true };
  }

  get options(): CallRequest {
    return this.#options;
  }

  /** Whether a call that is no notification, and that `from` made, goes the same way and asks for the same. */
  isLike(
    caller: Caller,
    asked: { readonly target: string; readonly timeoutMs: number; readonly from: string },
  ): boolean {
    const { target, timeoutMs, wire } = this.#options;
    return this.caller === caller && target === asked.target && timeoutMs === asked.timeoutMs * PASSING_PATIENCE &&
      wire?.caller === asked.from;
  }

  /** Not by the prototype, for which a result that is a Proxy would run its own code. */
  static is(value: unknown): value is Onward {
    return typeof value === "object" && value !== null && #options in value;
  }
}

/** Passes on the progress of another command. A value that is too large, or has no form in this codec, is left out. */
export function progressTo(context: Pick<CallContext, "progress">): (value: unknown) => void {
  return (value) => attempt(() => context.progress(value));
}
