/**
 * What the values of answers mean.
 *
 * @module
 */

import { BodyError } from "./body_error.ts";

/** What an answer's value means. */
export const AnswerKind = {
  value: 0,
  /** The handler returned undefined, which JSON has no word for. */
  nothing: 1,
  /** The handler threw: a `ThrownError`. */
  thrown: 2,
  /** One of brokkr's own errors: a `BrokerFault`. */
  fault: 3,
  /** One item of a stream; the answer comes after the last one. */
  item: 4,
  /** How far the handler is; the answer is still to come. */
  progress: 5,
} as const;

/** Whether one of `kinds` is an item of a stream. */
export function hasItems(kinds: readonly unknown[] | undefined): boolean {
  return kinds !== undefined && kinds.includes(AnswerKind.item);
}

/** What `kinds` says of `values`, of which those that are nothing become undefined. @throws {BodyError} */
export function readKinds(kinds: readonly unknown[] | undefined, values: unknown[]): readonly number[] | undefined {
  if (kinds === undefined) return undefined;
  return values.map((_, index) => {
    const kind = kinds[index];
    if (typeof kind !== "number") throw new BodyError(`answers frame: answer ${index} has no kind`);
    if (kind === AnswerKind.nothing) values[index] = undefined;
    return kind;
  });
}
