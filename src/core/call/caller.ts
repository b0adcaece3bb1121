/**
 * The caller's side: sends calls to one callee, waits for their answers, retries once, and never takes an answer for another call's.
 *
 * It outlives the callee's process: calls wait in the queue while there is no link, and what was sent on a link that ended is gone.
 *
 * @module
 */

import { AnswerKind, readAnswers, type ReceivedAnswer } from "../frame/batch.ts";
import { FrameType } from "../frame/header.ts";
import type { Link } from "../frame/link.ts";
import { encodePayload, NOTHING_ENCODED } from "../frame/params.ts";
import { MAIN_THREAD } from "../log/record.ts";
import { Call, type CallRequest, type Settle } from "./call.ts";
import type { CallerOptions, SubmitOptions } from "./caller_options.ts";
import type { Outcome } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";
import { CallReporter } from "./call_reporter.ts";
import { Outbox } from "./outbox.ts";
import { CallQueue } from "./queue.ts";
import { Strays } from "./strays.ts";
import { readFault, readThrown } from "./read_error.ts";
import type { BrokerFault } from "./wire_error.ts";

/** How long a cancelled call waits for its handler to end. */
const CANCEL_GRACE_MS = 100;
/** Beyond this many bytes on their way out, calls wait in the queue, where they are counted. */
const UNSENT_LIMIT_BYTES = 1024 * 1024;

export class Caller {
  readonly #options: CallerOptions;
  readonly #lines: CallReporter;
  readonly #queue: CallQueue;
  readonly #waiting = new Map<number, Call>();
  readonly #strays = new Strays();
  readonly #deadlines: Deadlines<Call>;
  readonly #outbox = new Outbox(this.#waiting);
  #nextId = 1;
  #link: Link | undefined;
  #refusal: BrokerFault | undefined;
  #paused = false;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#lines = new CallReporter(options.reporter, options.module, options.ownFiles);
    this.#queue = new CallQueue(options.queue);
    this.#deadlines = new Deadlines(options.clock, () => this.#live(), (call) => this.#due(call));
  }

  /** Calls that have no outcome yet. */
  get pending(): number {
    return this.#waiting.size + this.#queue.length;
  }

  /** Makes a call. `settle` is called once; a rejection is a fault, made an error where it is thrown. */
  submit(command: string, params: readonly unknown[], options: SubmitOptions, settle: Settle): void {
    const now = this.#options.clock.now();
    const thread = options.thread ?? this.#options.thread() ?? MAIN_THREAD;
    const { target, timeoutMs, retry } = options;
    const encoded = encodePayload(params, "params", this.#options.frameLimit);
    const request: CallRequest = {
      command,
      params: "code" in encoded ? NOTHING_ENCODED : encoded,
      options: options.wire ?? null,
      target,
      timeoutMs,
      retry,
      thread,
      quiet: options.quiet === true,
    };
    const call = new Call(request, settle, now);
    if ("code" in encoded) return this.#reject(call, encoded);
    if (this.#refusal !== undefined) return this.#reject(call, this.#refusal);
    if (options.signal?.aborted) return this.#rejectCancelled(call, options.signal.reason);
    const full = this.#mustQueue() ? this.#queue.wouldExceed(encoded.bytes) : null;
    if (full !== null) return this.#reject(call, { code: "QUEUE_FULL", ...full });
    this.#listen(call, options.signal);
    this.#queue.add(call);
    this.#deadlines.watch(call);
    this.#pump();
  }

  /** The callee's process is ready: what waits is sent to it. */
  connect(link: Link): void {
    // Ids count from 1 on each channel, so that the callee knows which ones it missed.
    this.#nextId = 1;
    this.#link = link;
    this.#paused = false;
    this.#outbox.attach(link);
    this.#refusal = undefined;
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
    this.#strays.forgetAll();
    for (const call of [...this.#waiting.values()]) this.#reject(call, fault);
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

  #listen(call: Call, signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const cancel = () => this.#cancel(call, signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    call.forget = () => signal.removeEventListener("abort", cancel);
  }

  #mustQueue(): boolean {
    return this.#queue.length > 0 || !this.#canSend();
  }

  #canSend(): boolean {
    const running = this.#waiting.size + this.#strays.unanswered;
    return this.#link !== undefined && !this.#paused && running < this.#options.concurrency &&
      this.#link.unsentBytes < UNSENT_LIMIT_BYTES;
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#canSend()) {
      const call = this.#queue.shift();
      if (call === undefined) return;
      call.id = this.#nextId++;
      call.become("sent");
      call.attempts = 1;
      this.#probeLater(call);
      this.#waiting.set(call.id, call);
      this.#outbox.send(call);
    }
  }

  *#live(): Iterable<Call> {
    yield* this.#waiting.values();
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
    if (call.state === "cancelling") {
      const cause = call.cancelCause;
      return this.#abandon(call, { code: "CANCELLED", acknowledged: false, ...(cause === undefined ? {} : { cause }) });
    }
    if (call.state !== "queued" && now < call.attemptEnds) {
      call.probedAt = now;
      this.#link?.send(FrameType.ping, "1");
      call.deadline = call.attemptEnds;
      this.#deadlines.watch(call);
    } else if (call.state === "sent" && call.request.retry === "once") {
      this.#lines.retry(call);
      call.become("retried");
      call.attempts = 2;
      call.attemptEnds = now + call.request.timeoutMs;
      this.#probeLater(call);
      this.#outbox.send(call);
    } else {
      const { timeoutMs } = call.request;
      const sent = call.state !== "queued";
      const peer = sent && this.#gaveSignOfLife(call) ? "slow" : "blocked";
      this.#abandon(call, { code: "TIMEOUT", timeoutMs, attempts: call.attempts, sent, peer });
    }
  }

  #gaveSignOfLife(call: Call): boolean {
    return this.#link !== undefined && this.#link.receivedAt >= call.probedAt;
  }

  #cancel(call: Call, cause: unknown): void {
    if (call.state === "queued") return this.#rejectCancelled(call, cause);
    if (call.state !== "sent" && call.state !== "retried") return;
    call.become("cancelling");
    call.cancelCause = cause;
    this.#link?.send(FrameType.cancel, JSON.stringify([call.id]));
    call.deadline = this.#options.clock.now() + CANCEL_GRACE_MS;
    this.#deadlines.watch(call);
  }

  #rejectCancelled(call: Call, cause: unknown): void {
    this.#reject(call, { code: "CANCELLED", acknowledged: true, ...(cause === undefined ? {} : { cause }) });
  }

  #take(answer: ReceivedAnswer): void {
    const call = typeof answer.id === "number" ? this.#waiting.get(answer.id) : undefined;
    if (call === undefined) return this.#takeStray(answer.id);
    if (call.state === "cancelling") return this.#rejectCancelled(call, call.cancelCause);
    if (answer.kind === AnswerKind.value) return this.#resolve(call, answer.value);
    if (answer.kind === AnswerKind.nothing) return this.#resolve(call, undefined);
    if (answer.kind === AnswerKind.fault) return this.#reject(call, readFault(answer.value));
    const { name, message, stack, data } = readThrown(answer.value);
    this.#reject(call, { code: "REMOTE", message, remoteName: name, remoteStack: stack, data });
  }

  #takeStray(id: unknown): void {
    const { kind, command } = this.#strays.classify(id, this.#nextId);
    this.#options.counters.count(kind);
    const [oldest] = this.#waiting.values();
    if (kind !== "duplicate" && oldest !== undefined && !oldest.resent && oldest.state !== "cancelling") {
      oldest.resent = true;
      this.#lines.anotherAnswer(oldest);
      this.#outbox.send(oldest);
    } else this.#lines.stray(kind, { target: this.#options.module, command, id: String(id) });
  }

  #resolve(call: Call, value: unknown): void {
    const ms = this.#options.clock.now() - call.startedAt;
    this.#settled(call, call.attempts > 1 ? "retried" : "ok");
    this.#options.counters.answeredIn(ms);
    this.#lines.answered(call, ms);
    call.settle.resolve(value);
  }

  #reject(call: Call, fault: BrokerFault): void {
    const outcome = fault.code === "TIMEOUT" ? "timeout" : fault.code === "CANCELLED" ? "cancelled" : "error";
    this.#settled(call, outcome);
    this.#lines.failed(call, fault);
    call.settle.reject(fault);
  }

  /** Rejects a call that the callee may still answer. */
  #abandon(call: Call, fault: BrokerFault): void {
    if (call.id !== 0) this.#strays.expect(call.id, call.request.command);
    this.#reject(call, fault);
  }

  #settled(call: Call, outcome: Outcome): void {
    call.become("settled");
    call.forget?.();
    this.#queue.remove(call);
    this.#waiting.delete(call.id);
    this.#options.counters.count(outcome);
  }
}
