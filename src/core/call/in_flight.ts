/**
 * What is out on one channel: the calls that wait for their answers, those that were given up and may still be answered, and how
 * much of the callee's memory they may hold together.
 *
 * @module
 */

import { ById } from "./by_id.ts";
import type { Call } from "./call.ts";
import type { StrayAnswer } from "./counters.ts";

/** Parameters that the callee may hold at the same time. Beyond it calls wait in the queue, where they are counted. */
const CREDIT_BYTES = 16 * 1024 * 1024;
/** What a call holds beside its parameters. */
const CALL_BYTES = 256;
/** Calls given up whose answers are remembered; beyond it the oldest count as duplicates. */
const MAX_GIVEN_UP = 65_536;

interface GivenUp {
  readonly command: string;
  readonly bytes: number;
}

export class InFlight {
  readonly #concurrency: number;
  readonly #waiting = new ById<Call>();
  readonly #givenUp = new Map<number, GivenUp>();
  #bytes = 0;
  #nextId = 1;
  #lowestId = 1;

  /** @param concurrency calls that may be out at the same time. */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Calls that wait for their answers. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Memory that the callee may hold for what is out. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether one more call may go out. One that was given up may still run, so it takes its place. */
  get hasRoom(): boolean {
    return this.#bytes < CREDIT_BYTES && this.#waiting.size + this.#givenUp.size < this.#concurrency;
  }

  /** Every call with a smaller id is settled, so that the callee may forget its answer. */
  get settledBelow(): number {
    while (this.#lowestId < this.#nextId && this.#waiting.get(this.#lowestId) === undefined) this.#lowestId++;
    return this.#lowestId;
  }

  /** The call that has waited longest and was not cancelled. */
  get oldest(): Call | undefined {
    // One by one: a peer may send any number of answers that ask for it.
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

  /** The channel is gone, and with it everything that was out. Returns the calls that waited. */
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
