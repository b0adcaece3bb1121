/**
 * The caller's side: sends calls to one callee, waits for their answers, retries once, and never takes an answer for another call's.
 *
 * It outlives the callee's process: calls wait in the queue while there is no link, and what was sent on a link that ended is gone.
 *
 * What is reported may end in the program's own code, which may call, cancel or restart before it returns. So each report stands
 * last in its step, when everything is as it says.
 *
 * @module
 */

import { readAnswers, type ReceivedAnswer } from "../frame/batch.ts";
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
import type { BrokerFault } from "./wire_error.ts";

/** How long a cancelled call waits for its handler to end. */
const CANCEL_GRACE_MS = 100;
/** Beyond this many bytes on their way out, calls wait in the queue, where they are counted. */
const UNSENT_LIMIT_BYTES = 1024 * 1024;

export class Caller {
  readonly #options: CallerOptions;
  readonly #lines: CallReporter;
  readonly #queue: CallQueue;
  readonly #inFlight: InFlight;
  readonly #outbox: Outbox;
  readonly #deadlines: Deadlines<Call>;
  #link: Link | undefined;
  #refusal: BrokerFault | undefined;
  #paused = false;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#lines = new CallReporter(options.reporter, options.module, options.ownFiles);
    this.#queue = new CallQueue(options.queue);
    this.#inFlight = new InFlight(options.concurrency);
    this.#outbox = new Outbox(this.#inFlight);
    this.#deadlines = new Deadlines(options.clock, () => this.#live(), (call) => this.#due(call));
  }

  /** Calls that have no outcome yet. */
  get pending(): number {
    return this.#inFlight.waiting + this.#queue.length;
  }

  /** Makes a call. `settle` is called once; a rejection is a fault, made an error where it is thrown. */
  submit(command: string, params: readonly unknown[], options: SubmitOptions, settle: Settle): void {
    const { target, timeoutMs, retry, signal } = options;
    const now = this.#options.clock.now();
    const thread = options.thread ?? this.#options.thread() ?? MAIN_THREAD;
    const encoded = encodeParams(command, params, this.#options.frameLimit);
    const isFault = "code" in encoded;
    const call = new Call(
      {
        command,
        params: isFault ? NOTHING_ENCODED : encoded,
        options: options.wire ?? null,
        target,
        timeoutMs,
        retry,
        thread,
        quiet: options.quiet === true,
      },
      settle,
      now,
    );
    const fault = isFault ? encoded : this.#whyNot(call, signal);
    if (fault !== undefined) return this.#reject(call, fault);
    if (signal !== undefined) call.listen(signal, () => this.#cancel(call, signal.reason));
    this.#queue.add(call);
    this.#deadlines.watch(call);
    this.#pump();
  }

  /** The callee's process is ready: what waits is sent to it. */
  connect(link: Link): void {
    this.#link = link;
    this.#paused = false;
    this.#refusal = undefined;
    this.#outbox.attach(link);
    this.#pump();
  }

  /** The callee's process is about to end: what was sent goes on, what was not waits. */
  pause(): void {
    this.#paused = true;
  }

  /** The callee's process is gone: what was sent to it is rejected with `fault`, what was not goes on waiting. */
  disconnect(fault: BrokerFault): void {
    this.#link = undefined;
    this.#outbox.attach(undefined);
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
    for (const answer of readAnswers(flags, body)) this.#take(answer);
    this.#pump();
  }

  /** Why a call is rejected before it waits at all. */
  #whyNot(call: Call, signal: AbortSignal | undefined): BrokerFault | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    if (signal?.aborted) {
      call.cancelCause = signal.reason;
      return call.cancelled(true);
    }
    if (this.#queue.length === 0 && this.#canSend()) return undefined;
    const full = this.#queue.wouldExceed(call.request.params.bytes);
    return full === null ? undefined : { code: "QUEUE_FULL", ...full };
  }

  #canSend(): boolean {
    const link = this.#link;
    return link !== undefined && !link.closed && !this.#paused && this.#inFlight.hasRoom &&
      !link.isOver(UNSENT_LIMIT_BYTES);
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#canSend()) {
      const call = this.#queue.shift();
      if (call === undefined) return;
      call.become("sent");
      call.attempts = 1;
      this.#inFlight.add(call);
      this.#probeLater(call);
      this.#outbox.send(call);
    }
  }

  *#live(): Iterable<Call> {
    yield* this.#inFlight.calls();
    yield* this.#queue;
  }

  /** Half an attempt without an answer is when the callee is asked for a sign of life: most calls never come to it. */
  #probeLater(call: Call): void {
    call.probedAt = -1;
    call.deadline = call.attemptEnds - call.request.timeoutMs / 2;
    this.#deadlines.watch(call);
  }

  #due(call: Call): void {
    const now = this.#options.clock.now();
    const { timeoutMs, retry } = call.request;
    if (call.state === "cancelling") {
      this.#reject(call, call.cancelled(false));
    } else if (call.state !== "queued" && now < call.attemptEnds) {
      call.probedAt = now;
      this.#link?.send(FrameType.ping, "1");
      call.deadline = call.attemptEnds;
      this.#deadlines.watch(call);
    } else if (call.state === "sent" && retry === "once") {
      call.become("retried");
      call.attempts = 2;
      call.attemptEnds = now + timeoutMs;
      this.#probeLater(call);
      this.#outbox.send(call);
      this.#lines.retry(call);
    } else {
      const sent = call.state !== "queued";
      const gaveSignOfLife = this.#link !== undefined && this.#link.receivedAt >= call.probedAt;
      const peer = sent && gaveSignOfLife ? "slow" : "blocked";
      this.#reject(call, { code: "TIMEOUT", timeoutMs, attempts: call.attempts, sent, peer });
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

  #take(answer: ReceivedAnswer): void {
    const call = this.#inFlight.find(answer.id);
    if (call === undefined) return this.#takeStray(answer.id);
    const fault = call.state === "cancelling" ? call.cancelled(true) : faultOf(answer);
    if (fault === undefined) this.#resolve(call, answer.value);
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

  #resolve(call: Call, value: unknown): void {
    const ms = this.#options.clock.now() - call.startedAt;
    this.#inFlight.remove(call);
    this.#settled(call, call.attempts > 1 ? "retried" : "ok");
    this.#options.counters.answeredIn(ms);
    call.settle.resolve(value, call.attempts);
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
