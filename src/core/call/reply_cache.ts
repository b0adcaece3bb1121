/**
 * What a callee remembers of the calls it received, so that a second attempt joins the first or gets its answer again, and a
 * command never runs twice. An answer is dropped when its caller has settled the call, and beyond a count, a size and an age.
 *
 * An answer that was dropped is not lost: it left on the same ordered channel on which the second attempt came, so the caller has it
 * or will have it.
 */

import type { Clock } from "../../runtime/runtime.ts";
import type { AnswerEntry } from "../wire/columns.ts";

const MAX_ANSWERS = 8_192;
const MAX_BYTES = 16 * 1024 * 1024;
/** Where no further call says that an answer is settled, it is dropped after one to two of these. */
const AGE_MS = 30_000;
/** Ids that are looked up one by one; where a peer skips more, all answers are searched. */
const MAX_STEPS = 16_384;
/** The same in search of the oldest answer. Beyond it a quarter of all is dropped at once, which is worth the search of all. */
const MAX_STEPS_TO_OLDEST = 64;

/** A call that was received and may still run. */
export interface ReceivedOnce {
  readonly id: number;
  /** Its share of the frame in which it came. */
  readonly bytes: number;
  /** Whether it was answered. */
  isOver: boolean;
}

export class ReplyCache<C extends ReceivedOnce> {
  readonly #running = new IdRing<C>();
  #runningBytes = 0;
  readonly #answers = new IdRing<AnswerEntry>();
  /** No id below it is in `#answers`. */
  #front = 1;
  /** Answers that were given when the front was past them, in that order. */
  readonly #late = new Map<number, AnswerEntry>();
  #settledBelow = 1;
  /** The answers at the last sweep: those that are still here at the next one are old. */
  #seen: { readonly below: number; readonly late: readonly AnswerEntry[] } = { below: 1, late: [] };
  /** Ids that were skipped: their frame was refused or withdrawn, so a second attempt is the first that can be read. */
  readonly #lost = new IdGaps();
  #bytes = 0;
  #highest = 0;
  readonly #clock: Clock;
  readonly #dropped: (answer: AnswerEntry) => void;
  #stopAging: (() => void) | undefined;

  /** @param dropped gets each answer that will not be sent again. @default nothing does */
  constructor(clock: Clock, dropped: (answer: AnswerEntry) => void = () => {}) {
    this.#clock = clock;
    this.#dropped = dropped;
  }

  get running(): readonly C[] {
    return this.#running.sorted();
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Of the frames in which the running calls came. */
  get runningBytes(): number {
    return this.#runningBytes;
  }

  /** Whether the call `id` arrives for the first time; from now on it has arrived. */
  isNew(id: number): boolean {
    if (id <= this.#highest) return this.#lost.take(id);
    if (id > this.#highest + 1) this.#lost.add(this.#highest + 1, id);
    this.#highest = id;
    return true;
  }

  /** The answer to give again, where `attempt` came after the answer to an earlier attempt had left. */
  again(id: number, attempt: number): AnswerEntry | undefined {
    const answer = this.#answers.get(id) ?? this.#late.get(id);
    if (answer === undefined || attempt <= answer.attempt) return undefined;
    this.#remove(answer);
    const again = { ...answer, attempt };
    this.#keep(again);
    return again;
  }

  /** `call` is not answered before the next frame arrives, so that it can be cancelled and joined. Most calls are over by then. */
  keepRunning(call: C): void {
    if (this.#running.get(call.id) !== undefined) return;
    this.#running.add(call);
    this.#runningBytes += call.bytes;
  }

  find(id: number): C | undefined {
    return this.#running.get(id);
  }

  answered(call: C, answer: AnswerEntry): void {
    call.isOver = true;
    if (this.#running.size > 0 && this.#running.delete(call.id)) this.#runningBytes -= call.bytes;
    if (answer.id < this.#settledBelow) return;
    this.#keep(answer);
    while (this.#answers.size + this.#late.size > MAX_ANSWERS || this.#bytes > MAX_BYTES) this.#forgetOldest();
  }

  /** The caller has settled every call with an id below `id`. */
  settledBelow(id: number): void {
    if (id <= this.#settledBelow) return;
    this.#settledBelow = id;
    this.#forgetBelow(id);
    for (const late of this.#late.values()) if (late.id < id) this.#forget(late);
    this.#lost.forgetBelow(id);
  }

  /** The caller is gone: what still runs has nobody to answer. */
  close(): void {
    this.#stopAging?.();
    this.#settledBelow = Infinity;
  }

  #keep(answer: AnswerEntry): void {
    if (answer.id < this.#front) this.#late.set(answer.id, answer);
    else this.#answers.add(answer);
    this.#bytes += answer.value.bytes;
    if (this.#stopAging === undefined) this.#ageLater();
  }

  #ageLater(): void {
    this.#stopAging = this.#clock.timer(AGE_MS, () => {
      this.#stopAging = undefined;
      this.#forgetBelow(this.#seen.below);
      for (const late of this.#seen.late) if (this.#late.get(late.id) === late) this.#forget(late);
      this.#seen = { below: this.#highest + 1, late: [...this.#late.values()] };
      if (this.#answers.size + this.#late.size > 0) this.#ageLater();
    });
  }

  #forgetOldest(): void {
    for (const late of this.#late.values()) return this.#forget(late);
    for (let steps = 0; steps < MAX_STEPS_TO_OLDEST; steps++, this.#front++) {
      const answer = this.#answers.get(this.#front);
      if (answer !== undefined) return this.#forget(answer);
    }
    const all = this.#answers.sorted();
    const oldest = all.slice(0, Math.ceil(all.length / 4));
    for (const answer of oldest) this.#forget(answer);
    this.#front = Math.max(this.#front, (oldest.at(-1)?.id ?? 0) + 1);
  }

  #forgetBelow(id: number): void {
    if (id - this.#front > MAX_STEPS) {
      for (const answer of this.#answers.sorted()) if (answer.id < id) this.#forget(answer);
    } else {
      for (let at = this.#front; at < id; at++) {
        const answer = this.#answers.get(at);
        if (answer !== undefined) this.#forget(answer);
      }
    }
    this.#front = Math.max(this.#front, id);
  }

  #forget(answer: AnswerEntry): void {
    this.#remove(answer);
    this.#dropped(answer);
  }

  #remove(answer: AnswerEntry): void {
    if (this.#late.size === 0 || !this.#late.delete(answer.id)) this.#answers.delete(answer.id);
    this.#bytes -= answer.value.bytes;
  }
}

/** Beyond it the oldest range is dropped. */
const MAX_GAPS = 8_192;

interface Gap {
  from: number;
  /** The first id behind it. */
  to: number;
}

/**
 * Ids that a peer skipped whose ids count up, as ranges: a peer that skips many ids costs no more than one that skips a single id.
 */
export class IdGaps {
  /** By their ids. */
  #gaps: Gap[] = [];

  get size(): number {
    return this.#gaps.length;
  }

  /** The ids from `from` to before `to` were skipped; they are above all that were added before. */
  add(from: number, to: number): void {
    this.#gaps.push({ from, to });
    this.#bound();
  }

  /** Whether `id` was skipped; from now on it was not. */
  take(id: number): boolean {
    const index = this.#firstEndingAbove(id);
    const gap = this.#gaps[index];
    if (gap === undefined || id < gap.from) return false;
    const behind = { from: id + 1, to: gap.to };
    gap.to = id;
    if (gap.from === gap.to && behind.from === behind.to) this.#gaps.splice(index, 1);
    else if (gap.from === gap.to) this.#gaps[index] = behind;
    else if (behind.from < behind.to) {
      this.#gaps.splice(index + 1, 0, behind);
      this.#bound();
    }
    return true;
  }

  /** No id below `id` will be taken. */
  forgetBelow(id: number): void {
    if (this.#gaps.length === 0) return;
    this.#gaps.splice(0, this.#firstEndingAbove(id));
    const [first] = this.#gaps;
    if (first !== undefined && first.from < id) first.from = id;
  }

  #bound(): void {
    if (this.#gaps.length > MAX_GAPS) this.#gaps.shift();
  }

  #firstEndingAbove(id: number): number {
    let [low, high] = [0, this.#gaps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#gaps[middle]?.to ?? 0) > id) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const SMALLEST_RING = 256;
const LARGEST_RING = 16_384;

/**
 * Entries by their ids, which are whole numbers from 1 that count up, where most entries are removed soon: a ring, and a map for those
 * that stay longer. A Map alone costs three times as much, and rehashes as it goes.
 */
export class IdRing<T extends { readonly id: number }> {
  #ring: (T | undefined)[] = new Array<T | undefined>(SMALLEST_RING).fill(undefined);
  #mask = SMALLEST_RING - 1;
  readonly #old = new Map<number, T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    const entry = this.#ring[id & this.#mask];
    if (entry !== undefined && entry.id === id) return entry;
    return this.#old.size === 0 ? undefined : this.#old.get(id);
  }

  /** Adds an entry whose id is not there yet. */
  add(entry: T): void {
    if (this.#size > this.#mask >> 1 && this.#mask < LARGEST_RING - 1) this.#grow();
    this.#size++;
    this.#put(entry);
  }

  delete(id: number): boolean {
    const slot = id & this.#mask;
    if (this.#ring[slot]?.id === id) this.#ring[slot] = undefined;
    else if (!this.#old.delete(id)) return false;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#ring = new Array<T | undefined>(SMALLEST_RING).fill(undefined);
    this.#mask = SMALLEST_RING - 1;
    this.#old.clear();
    this.#size = 0;
  }

  /** All in the order of their ids. */
  sorted(): T[] {
    const all = [...this.#old.values()];
    for (const entry of this.#ring) if (entry !== undefined) all.push(entry);
    return all.sort((a, b) => a.id - b.id);
  }

  #put(entry: T): void {
    const slot = entry.id & this.#mask;
    const previous = this.#ring[slot];
    if (previous !== undefined) this.#old.set(previous.id, previous);
    this.#ring[slot] = entry;
  }

  #grow(): void {
    const ring = this.#ring;
    this.#mask = this.#mask * 2 + 1;
    this.#ring = new Array<T | undefined>(this.#mask + 1).fill(undefined);
    for (const entry of ring) if (entry !== undefined) this.#put(entry);
  }
}
