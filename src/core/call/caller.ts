/**
 * The caller's side: sends calls to one callee, waits for their answers, retries once, and never takes an answer for another call's.
 *
 * It outlives the callee's process: calls wait in the queue while there is no link, and what was sent on a link that ended is gone.
 *
 * A report may end in the program's own code, which may call, cancel or restart: so each stands last in its step.
 *
 * @module
 */

import type { ReceivedAnswer } from "../frame/batch.ts";
import { BodyReader } from "../frame/body_reader.ts";
import { type Codec, newCodec } from "../frame/codec.ts";
import { FrameType } from "../frame/header.ts";
import type { Link } from "../frame/link.ts";
import { encodeParams, NOTHING_ENCODED } from "../frame/params.ts";
import { MAIN_THREAD } from "../log/record.ts";
import { Call, type Settle } from "./call.ts";
import { CallReporter } from "./call_reporter.ts";
import type { CallerOptions, SubmitOptions } from "./caller_options.ts";
import type { Outcome } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";
import { InFlight } from "./in_flight.ts";
import { Outbox } from "./outbox.ts";
import { CallQueue } from "./queue.ts";
import { faultOf } from "./read_error.ts";
import { translateQueue } from "./translate.ts";
import type { BrokerFault } from "./wire_error.ts";

/** How long a cancelled call waits for its handler to end. */
const CANCEL_GRACE_MS = 100;
/** Beyond this many bytes on their way out, calls wait in the queue, where they are counted. */
const UNSENT_LIMIT_BYTES = 1024 * 1024;

export class Caller {
  readonly tracesPromises: boolean;
  readonly #options: CallerOptions;
  readonly #lines: CallReporter;
  readonly #queue: CallQueue;
  readonly #inFlight: InFlight;
  readonly #outbox: Outbox;
  readonly #deadlines: Deadlines<Call>;
  #codec: Codec;
  #answers = new BodyReader();
  #link: Link | undefined;
  #refusal: BrokerFault | undefined;
  #paused = false;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.tracesPromises = options.tracesPromises === true;
    this.#codec = newCodec(options.codec ?? "compact");
    this.#lines = new CallReporter(options.reporter, options.module, options.ownFiles);
    this.#queue = new CallQueue(options.queue);
    this.#inFlight = new InFlight(options.concurrency);
    this.#outbox = new Outbox(this.#inFlight);
    this.#deadlines = new Deadlines(
      options.clock,
      () => [...this.#inFlight.calls(), ...this.#queue],
      (call) => this.#due(call),
    );
  }

  /** Calls that have no outcome yet. */
  get pending(): number {
    return this.#inFlight.waiting + this.#queue.length;
  }

  /** Makes a call. `settle` is called once; a rejection is a fault, made an error where it is thrown. */
  submit(command: string, params: readonly unknown[], options: SubmitOptions, settle: Settle): void {
    const { signal } = options;
    const now = this.#options.clock.now();
    const thread = options.thread ?? this.#options.thread() ?? MAIN_THREAD;
    const encoded = encodeParams(this.#codec, command, params, this.#options.frameLimit);
    const isFault = "code" in encoded;
    const call = new Call(command, options, { params: isFault ? NOTHING_ENCODED : encoded, thread, settle, now });
    const fault = isFault ? encoded : this.#whyNot(call, signal);
    if (fault !== undefined) return this.#reject(call, fault);
    if (signal !== undefined) call.listen(signal, () => this.#cancel(call, signal.reason));
    if (this.#queue.length === 0 && this.#canSend()) return this.#send(call);
    this.#queue.add(call);
    this.#deadlines.watch(call);
    this.#pump();
  }

  /** The callee's process is ready: what waits is sent to it. */
  connect(link: Link): void {
    this.#link = link;
    this.#paused = false;
    this.#refusal = undefined;
    this.#answers = new BodyReader();
    const from = this.#codec;
    from.restart();
    if (link.codec !== from.name) {
      const to = this.#codec = newCodec(link.codec);
      translateQueue(this.#queue, { from, to, frameLimit: this.#options.frameLimit }, this.#reject.bind(this));
    }
    this.#outbox.attach(link, this.#codec);
    this.#pump();
  }

  /** The callee's process is about to end: what was sent goes on, what was not waits. */
  pause(): void {
    this.#paused = true;
  }

  /** The callee's process is gone: what was sent to it is rejected with `fault`, what was not goes on waiting. */
  disconnect(fault: BrokerFault): void {
    this.#link = undefined;
    this.#outbox.attach(undefined, this.#codec);
    for (const call of this.#inFlight.clear()) {
      this.#reject(call, call.state === "cancelling" ? call.cancelled(true) : fault);
    }
    if (this.pending === 0) this.#deadlines.stop();
  }

  /** From now on every call is rejected with `fault`, those that wait included, until the next `connect`. */
  refuse(fault: BrokerFault): void {
    this.#refusal = fault;
    this.disconnect(fault);
    for (const call of [...this.#queue]) this.#reject(call, fault);
    this.#deadlines.stop();
  }

  /** Room in the transport: what waits may go on. */
  drained(): void {
    this.#pump();
  }

  /** @throws {BodyError} when the frame can't be understood. */
  answers(flags: number, body: Uint8Array): void {
    const answers = this.#answers.answers(flags, body);
    const now = this.#options.clock.now();
    for (const answer of answers) this.#take(answer, now);
    if (this.#queue.length > 0) this.#pump();
  }

  /** Why a call is rejected before it waits at all. */
  #whyNot(call: Call, signal: AbortSignal | undefined): BrokerFault | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    if (signal?.aborted) {
      call.cancelCause = signal.reason;
      return call.cancelled(true);
    }
    if (this.#queue.length === 0 && this.#canSend()) return undefined;
    return this.#queue.fullFor(call);
  }

  #canSend(link = this.#link): boolean {
    return link !== undefined && !link.closed && !this.#paused && this.#inFlight.hasRoom &&
      !link.isOver(UNSENT_LIMIT_BYTES);
  }

  #pump(): void {
    for (let call; this.#canSend() && (call = this.#queue.shift()) !== undefined;) this.#send(call);
  }

  #send(call: Call): void {
    call.become("sent");
    call.attempt = 1;
    this.#inFlight.add(call);
    this.#probeLater(call);
    this.#outbox.send(call);
  }

  /** Half an attempt without an answer is when the callee is asked for a sign of life: most calls never come to it. */
  #probeLater(call: Call): void {
    call.probedAt = -1;
    call.deadline = call.attemptEnds - call.timeoutMs / 2;
    this.#deadlines.watch(call);
  }

  #due(call: Call): void {
    const now = this.#options.clock.now();
    if (call.state === "cancelling") {
      this.#reject(call, call.cancelled(false));
    } else if (call.state !== "queued" && now < call.attemptEnds) {
      call.probedAt = now;
      this.#link?.send(FrameType.ping, "1");
      call.deadline = call.attemptEnds;
      this.#deadlines.watch(call);
    } else if (call.state === "sent" && call.retry === "once") {
      call.become("retried");
      call.attempt = 2;
      call.attemptEnds = now + call.timeoutMs;
      this.#probeLater(call);
      this.#outbox.send(call);
      this.#lines.retry(call);
    } else {
      this.#reject(call, call.timedOut(this.#link?.receivedAt));
    }
  }

  #cancel(call: Call, cause: unknown): void {
    call.cancelCause = cause;
    if (call.state === "queued" || this.#outbox.withdraw(call)) return this.#reject(call, call.cancelled(true), false);
    call.become("cancelling");
    call.deadline = this.#options.clock.now() + CANCEL_GRACE_MS;
    this.#deadlines.watch(call);
    // The call itself may still be on its way out, and goes first.
    this.#link?.flush();
    this.#link?.send(FrameType.cancel, JSON.stringify([call.id]));
  }

  #take(answer: ReceivedAnswer, now: number): void {
    const call = this.#inFlight.find(answer.id);
    if (call === undefined) return this.#takeStray(answer.id);
    const fault = call.state === "cancelling" ? call.cancelled(true) : faultOf(answer);
    if (fault === undefined) this.#resolve(call, answer.value, now);
    else this.#reject(call, fault, false);
  }

  #takeStray(id: unknown): void {
    const { kind, command } = this.#inFlight.classify(id);
    this.#options.counters.count(kind);
    const oldest = kind === "duplicate" ? undefined : this.#inFlight.oldest;
    if (oldest === undefined || oldest.resent) return this.#lines.stray(kind, command, id);
    oldest.resent = true;
    this.#outbox.send(oldest);
    this.#lines.anotherAnswer(oldest);
  }

  #resolve(call: Call, value: unknown, now: number): void {
    const ms = now - call.startedAt;
    this.#inFlight.remove(call);
    this.#settled(call, call.attempt > 1 ? "retried" : "ok");
    this.#options.counters.answeredIn(ms);
    call.settle.resolve(value, call.attempt);
    this.#lines.answered(call, ms);
  }

  /** @param answerMayCome for a call that was sent: whether the callee may still answer it. */
  #reject(call: Call, fault: BrokerFault, answerMayCome = true): void {
    if (call.state === "settled") return;
    if (call.state === "queued") this.#queue.remove(call);
    else if (answerMayCome) this.#inFlight.giveUp(call);
    else this.#inFlight.remove(call);
    this.#settled(call, fault.code === "TIMEOUT" ? "timeout" : fault.code === "CANCELLED" ? "cancelled" : "error");
    call.settle.reject(fault);
    this.#lines.failed(call, fault);
  }

  #settled(call: Call, outcome: Outcome): void {
    call.end();
    this.#options.counters.count(outcome);
  }
}
