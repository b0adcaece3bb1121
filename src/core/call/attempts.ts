/**
 * The calls that wait for their answers on one link, from the first attempt to the answer: retried once, given up in time, and never
 * settled with another call's answer.
 */

import type { Clock } from "../../runtime/runtime.ts";
import { STANDSTILL_MS } from "../duration.ts";
import type { BrokerFault } from "../faults.ts";
import { faultOf, type Outcomes, type TimeoutDiagnosis } from "./outcomes.ts";
import type { Codec } from "../wire/codec.ts";
import { readAnswers } from "../wire/columns.ts";
import { attempt } from "../checks.ts";
import { AnswerKind, FrameType, readJson } from "../wire/frame.ts";
import type { Link } from "../wire/link.ts";
import { objectText } from "../user_code.ts";
import { isHolder, PlainValue } from "../wire/serializable.ts";
import type { StrayAnswer } from "../wire/status.ts";
import { RequestBatcher } from "./batcher.ts";
import {
  begun,
  type Call,
  type CallTime,
  isTimeOf,
  NOT_BEGUN,
  probed,
  probing,
  renewed,
  resting,
  type SentCalls,
} from "./call.ts";
import { IdRing } from "./reply_cache.ts";

/** How long a cancelled call waits for its handler to end. */
const CANCEL_GRACE_MS = 100;
/** Characters of a command's name in the reason for the end of a link. */
const MAX_NAMED = 100;
/** Beyond so many bytes that the transport has not taken, calls wait in the queue, where they are counted. */
const UNSENT_LIMIT_BYTES = 1024 * 1024;

export interface PendingCallsOptions {
  readonly clock: Clock;
  /** What the calls are encoded with. */
  readonly codec: Codec;
  readonly concurrency: number;
  readonly outcomes: Outcomes;
}

export class PendingCalls implements SentCalls {
  readonly link: Link;
  readonly #options: PendingCallsOptions;
  readonly #inFlight: InFlight;
  readonly #batcher: RequestBatcher;
  readonly #deadlines: Deadlines<Call>;

  constructor(link: Link, options: PendingCallsOptions) {
    this.link = link;
    this.#options = options;
    this.#inFlight = new InFlight(options.concurrency);
    this.#batcher = new RequestBatcher(this.#inFlight, link, (calls) => this.#startTime(calls));
    this.#deadlines = new Deadlines(options.clock, () => this.#inFlight.calls(), (call) => this.#due(call));
  }

  /** Calls that wait for their answers. */
  get waiting(): number {
    return this.#inFlight.waiting;
  }

  /** Whether one more call may be sent now. */
  get canSend(): boolean {
    if (this.link.closed || !this.#inFlight.canAdd) return false;
    // The bytes that were not written yet are a part of those in flight, which are known without asking the transport.
    return this.#inFlight.bytes < UNSENT_LIMIT_BYTES || !this.link.isOver(UNSENT_LIMIT_BYTES);
  }

  send(call: Call): void {
    call.become("sent");
    call.pending = this;
    call.attempt = 1;
    this.#inFlight.add(call);
    if (call.time.startedAt >= 0) this.#set(call, probing(call.time));
    this.#batcher.send(call);
  }

  /** @throws {BodyError} when the frame can't be understood. */
  answers(flags: number, body: Uint8Array): void {
    const { ids, kinds, values, sizes, isPlain } = readAnswers(flags, body, this.link.outOfBand);
    const { receivedAt } = this.link;
    for (let index = 0; index < ids.length; index++) {
      try {
        const kind = kinds?.[index] ?? AnswerKind.value;
        const call = this.#inFlight.find(ids[index]);
        const value = isPlain && call?.passedOn === true ? plainOf(kind, values[index]) : values[index];
        if (call === undefined) this.#takeStray(ids[index], kind, value);
        else if (kind === AnswerKind.item) this.#takeItem(call, value, sizes?.[index] ?? 0);
        else this.#take(call, kind, value, receivedAt);
      } catch (error) {
        // The other answers of the frame are other calls'.
        this.#options.clock.throwUncaught(error);
      }
    }
  }

  /** What a pong of the callee says of the processes that it passed calls on to. */
  silences(body: Uint8Array): void {
    const entries = attempt(() => readJson(body));
    for (const entry of Array.isArray(entries) ? entries : []) {
      const [id, ms]: unknown[] = Array.isArray(entry) ? entry : [];
      const call = this.#inFlight.find(id);
      if (call === undefined || typeof ms !== "number" && ms !== null) continue;
      call.silentSince = ms === null ? undefined : this.link.receivedAt - ms;
      call.progress?.silent?.(ms);
    }
  }

  expect(call: Call): void {
    if (call.time.attemptEnds === Infinity && call.isOut) this.#renew(call, this.#options.clock.now());
  }

  took(call: Call, count: number): void {
    if (call.isOut) this.#batcher.credit(call, count);
  }

  overrun(call: Call): void {
    this.link.close(`the stream of [${call.command.slice(0, MAX_NAMED)}] went on without credit`);
  }

  cancel(call: Call): void {
    if (this.#batcher.withdraw(call)) return this.#endCancelled(call, true);
    call.become("cancelling");
    this.#set(call, { ...call.time, deadline: this.#options.clock.now() + CANCEL_GRACE_MS });
    this.#sendCancel(call);
  }

  /** The link is gone: the calls in flight are rejected with `fault`. */
  end(fault: BrokerFault): void {
    this.#batcher.close();
    this.#deadlines.stop();
    for (const call of this.#inFlight.clear()) {
      if (call.state === "cancelling") this.#endCancelled(call, true);
      else if (call.state !== "settled") this.#options.outcomes.reject(call, fault);
    }
  }

  /** The time of a call that was not queued runs from the end of the turn that made it: the clock is read once for all of them. */
  #startTime(calls: readonly Call[]): void {
    const now = this.#options.clock.now();
    let time = NOT_BEGUN;
    for (const call of calls) {
      if (call.time.startedAt >= 0 || !call.isOut) continue;
      if (!isTimeOf(time, call)) {
        time = probing(begun(now, call));
        this.#deadlines.watch(time, now);
      }
      call.time = time;
    }
  }

  #set(call: Call, time: CallTime): void {
    call.time = time;
    this.#deadlines.watch(time);
  }

  #due(call: Call): void {
    const now = this.#options.clock.now();
    const { time } = call;
    if (call.state === "cancelling") {
      this.#endCancelled(call, false);
    } else if (now >= time.endsAt) {
      this.#giveUp(call, call.totalTimeoutMs);
    } else if (now < time.attemptEnds) {
      if (call.passedOn && time.probedAt >= 0) this.#relaySilence(call, now);
      this.link.send(FrameType.ping, "1");
      this.#set(call, probed(time, now));
    } else if (call.state === "sent" && call.retry === "once") {
      const diagnosis = this.#diagnose(call, now);
      call.become("retried");
      call.attempt = 2;
      this.#renew(call, now);
      this.#batcher.send(call);
      this.#options.outcomes.retried(call, diagnosis);
    } else {
      this.#giveUp(call, call.timeoutMs);
    }
  }

  /** The time is over. A handler that looks at its signal can end early. */
  #giveUp(call: Call, timeoutMs: number): void {
    const diagnosis = this.#diagnose(call, this.#options.clock.now());
    this.#sendCancel(call);
    this.#inFlight.giveUp(call);
    this.#options.outcomes.reject(call, call.timedOut(timeoutMs, diagnosis.peer));
    this.#options.outcomes.diagnosed(call, diagnosis);
  }

  #renew(call: Call, now: number): void {
    this.#set(call, renewed(call.time, now));
  }

  /** A callee that was silent since the ping is blocked, and so is one behind it. */
  #diagnose(call: Call, now: number): TimeoutDiagnosis {
    const { receivedAt } = this.link;
    const { silentSince = receivedAt, attempt, time } = call;
    const peer = receivedAt >= time.probedAt && call.silentSince === undefined ? "slow" : "blocked";
    return { attempt, peer, silentMs: now - Math.min(receivedAt, silentSince) };
  }

  #relaySilence(call: Call, now: number): void {
    const { receivedAt } = this.link;
    const since = receivedAt < call.time.probedAt ? receivedAt : call.silentSince;
    if (since === undefined && call.isKnownSilent !== true) return;
    call.isKnownSilent = since !== undefined;
    call.progress?.silent?.(since === undefined ? null : now - since);
  }

  #sendCancel(call: Call): void {
    // The call itself may not have left yet, and goes first.
    this.link.flush();
    this.link.send(FrameType.cancel, objectText([call.id]));
  }

  /** @param acknowledged whether it is certain that the call does not run. */
  #endCancelled(call: Call, acknowledged: boolean): void {
    if (acknowledged) this.#inFlight.remove(call);
    else this.#inFlight.giveUp(call);
    if (call.isLeft) this.#options.outcomes.resolve(call, undefined, this.#options.clock.now());
    else this.#options.outcomes.reject(call, call.cancelled(acknowledged));
  }

  #take(call: Call, kind: number, value: unknown, now: number): void {
    if (kind === AnswerKind.progress) return this.#takeProgress(call, value, now);
    if (call.state === "cancelling") return this.#endCancelled(call, true);
    this.#inFlight.remove(call);
    // A callee that answered has read all of the call's one frame.
    if (call.attempt === 1 && !call.resent) this.#options.codec.release(call.params);
    const fault = faultOf(kind, value);
    if (fault === undefined) this.#options.outcomes.resolve(call, value, now);
    else if (fault.code === "REMOTE" && fault.expected === true) {
      this.#options.outcomes.resolve(call, undefined, now, fault);
    } else this.#options.outcomes.reject(call, fault);
  }

  #takeItem(call: Call, item: unknown, bytes: number): void {
    if (call.state === "cancelling") return;
    if (call.onItem !== null) {
      call.time = resting(call.time);
      call.onItem(item, bytes);
    } else if (call.time.attemptEnds !== Infinity) this.#renew(call, this.link.receivedAt);
  }

  #takeProgress(call: Call, value: unknown, now: number): void {
    if (call.state === "cancelling") return;
    if (call.time.attemptEnds !== Infinity) this.#renew(call, now);
    call.progress?.push(value);
  }

  /** No call waits for it. */
  #takeStray(id: unknown, answer: number, value: unknown): void {
    const isPart = answer === AnswerKind.item || answer === AnswerKind.progress;
    // Items and progress may still arrive when their call was given up or cancelled.
    if (isPart && this.#inFlight.isGivenUp(id)) return;
    // No answer, only the callee's word that the call was cancelled there.
    if (!isPart && faultOf(answer, value)?.code === "CANCELLED" && this.#inFlight.forgetGivenUp(id)) return;
    const { outcomes } = this.#options;
    const { kind, command } = this.#inFlight.classify(id);
    const oldest = kind === "duplicate" ? undefined : this.#inFlight.oldest;
    if (oldest === undefined || oldest.resent) return outcomes.stray(kind, command, id);
    oldest.resent = true;
    this.#batcher.send(oldest);
    outcomes.anotherAnswer(kind, oldest);
  }
}

/** A value as it is passed on. What was thrown is read here first. */
function plainOf(kind: number, value: unknown): unknown {
  const isValue = kind === AnswerKind.value || kind === AnswerKind.item || kind === AnswerKind.progress;
  return isValue && isHolder(value) ? new PlainValue(value) : value;
}

/** Bytes of calls that the callee may hold at the same time. Beyond it calls wait in the queue, where they are counted. */
const CREDIT_BYTES = 16 * 1024 * 1024;
/** Memory of a call beside its parameters. */
const CALL_BYTES = 256;
/** Calls given up whose answers are remembered; beyond it the oldest count as duplicates. */
const MAX_GIVEN_UP = 65_536;

interface GivenUp {
  readonly command: string;
  readonly bytes: number;
}

/**
 * The calls in flight on one channel by their ids, those that were given up and may still be answered, and how much of the callee's
 * memory they may hold together.
 */
export class InFlight {
  readonly #concurrency: number;
  readonly #waiting = new IdRing<Call>();
  readonly #givenUp = new Map<number, GivenUp>();
  #bytes = 0;
  #nextId = 1;
  #lowestId = 1;

  /** @param concurrency calls that may be in flight at the same time. */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Calls that wait for their answers. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Memory that the callee may hold for the calls in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is credit for one more call. One that was given up may still run, so it counts. */
  get canAdd(): boolean {
    return this.#bytes < CREDIT_BYTES && this.#waiting.size + this.#givenUp.size < this.#concurrency;
  }

  /** Every call with a smaller id is settled, so that the callee may drop its answer. */
  get settledBelow(): number {
    while (this.#lowestId < this.#nextId && this.#waiting.get(this.#lowestId) === undefined) this.#lowestId++;
    return this.#lowestId;
  }

  /** The call that has waited longest and was not cancelled. */
  get oldest(): Call | undefined {
    // Not by a search of all: a peer may send any number of stray answers, and each one looks for the oldest.
    if (this.#waiting.size === 0) return undefined;
    for (let id = this.settledBelow; id < this.#nextId; id++) {
      const call = this.#waiting.get(id);
      if (call !== undefined && call.state !== "cancelling") return call;
    }
    return undefined;
  }

  calls(): readonly Call[] {
    return this.#waiting.sorted();
  }

  /** Gives `call` its id: ids count from 1 on each channel, so that the callee knows which ones it missed. */
  add(call: Call): void {
    call.id = this.#nextId++;
    this.#waiting.add(call);
    this.#bytes += bytesOf(call);
  }

  /** The waiting call of that id, which a faulty peer may have made of anything. */
  find(id: unknown): Call | undefined {
    return typeof id === "number" ? this.#waiting.get(id) : undefined;
  }

  /** `call` is settled, and nothing more will come for it. */
  remove(call: Call): void {
    if (this.#waiting.get(call.id) !== call) return;
    this.#waiting.delete(call.id);
    // Answers mostly come in the order of their calls.
    if (call.id === this.#lowestId) this.#lowestId++;
    this.#bytes -= bytesOf(call);
  }

  /** `call` is settled, and its answer may still come. */
  giveUp(call: Call): void {
    if (this.#waiting.get(call.id) !== call) return;
    this.#waiting.delete(call.id);
    this.#givenUp.set(call.id, { command: call.command, bytes: bytesOf(call) });
    if (this.#givenUp.size <= MAX_GIVEN_UP) return;
    for (const oldest of this.#givenUp.keys()) return void this.#forget(oldest);
  }

  /** Whether the call of that id was given up and its answer may still come. */
  isGivenUp(id: unknown): boolean {
    return typeof id === "number" && this.#givenUp.has(id);
  }

  /** No answer will come for the call of that id that was given up. False where there is no such call. */
  forgetGivenUp(id: unknown): boolean {
    return typeof id === "number" && this.#forget(id) !== undefined;
  }

  /** What an answer is that no call waits for, and to which command, where that is known. */
  classify(id: unknown): { kind: StrayAnswer; command: string | null } {
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1 || id >= this.#nextId) {
      return { kind: "unknown", command: null };
    }
    const late = this.#forget(id);
    return late === undefined ? { kind: "duplicate", command: null } : { kind: "late", command: late.command };
  }

  /** The channel is gone. Returns the calls that waited for their answers. */
  clear(): Call[] {
    const calls = this.#waiting.sorted();
    this.#waiting.clear();
    this.#givenUp.clear();
    this.#bytes = 0;
    this.#nextId = 1;
    this.#lowestId = 1;
    return calls;
  }

  #forget(id: number): GivenUp | undefined {
    const givenUp = this.#givenUp.get(id);
    if (givenUp === undefined) return undefined;
    this.#givenUp.delete(id);
    this.#bytes -= givenUp.bytes;
    return givenUp;
  }
}

function bytesOf(call: Call): number {
  return call.params.bytes + CALL_BYTES;
}

/** Something with a deadline, which may change. */
export interface Timed {
  /** On the clock, in milliseconds. */
  readonly deadline: number;
}

/** Deadlines that are closer together than this share a sweep. */
const SWEEP_RESOLUTION_MS = 2;

/**
 * The deadlines of all calls on one timer: it is set for the earliest, and when it fires, one sweep finds what is due. A call that is
 * answered in time costs nothing here.
 */
export class Deadlines<T extends Timed> {
  readonly #clock: Clock;
  readonly #live: () => Iterable<T>;
  readonly #due: (timed: T) => void;
  #wakeAt = Infinity;
  /** When its timer fires at the soonest: that of a deadline which has passed was set later. */
  #firesAt = Infinity;
  #clear: (() => void) | undefined;

  /**
   * @param live all that have a deadline; called at each sweep.
   * @param due called for each whose deadline has passed; it sets a new deadline or removes it from `live`.
   */
  constructor(clock: Clock, live: () => Iterable<T>, due: (timed: T) => void) {
    this.#clock = clock;
    this.#live = live;
    this.#due = due;
  }

  /** `timed` has a new deadline. A timer that is overdue was lost, as fake timers are that a test removes; it is set again. */
  watch(timed: Timed, now = this.#clock.now()): void {
    if (timed.deadline < this.#wakeAt) this.#wakeFor(timed.deadline);
    else if (now - this.#firesAt >= STANDSTILL_MS) this.#wakeFor(this.#wakeAt);
  }

  stop(): void {
    this.#clear?.();
    this.#clear = undefined;
    this.#wakeAt = this.#firesAt = Infinity;
  }

  #wakeFor(deadline: number): void {
    this.#clear?.();
    const now = this.#clock.now();
    this.#wakeAt = deadline;
    this.#firesAt = Math.max(now, deadline);
    this.#clear = this.#clock.timer(this.#firesAt - now, () => this.#wake());
  }

  /** After a standstill the frames that arrived meanwhile are read first, so that no call times out whose answer is here. */
  #wake(): void {
    if (this.#clock.now() - this.#wakeAt < STANDSTILL_MS) this.#sweep();
    else this.#clock.soon(() => this.#sweep());
  }

  #sweep(): void {
    this.#clear?.();
    this.#clear = undefined;
    this.#wakeAt = this.#firesAt = Infinity;
    const now = this.#clock.now();
    const due: T[] = [];
    let next = Infinity;
    for (const timed of this.#live()) {
      if (timed.deadline <= now) due.push(timed);
      else if (timed.deadline < next) next = timed.deadline;
    }
    // Handling one may settle another, or give it a new deadline.
    for (const timed of due) if (timed.deadline <= now) this.#due(timed);
    if (next < this.#wakeAt) this.#wakeFor(Math.max(next, now + SWEEP_RESOLUTION_MS));
  }
}
