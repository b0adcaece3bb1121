/**
 * A call as a promise.
 *
 * @module
 */

import type { Settle } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { SubmitOptions } from "./caller_options.ts";
import { type BrokerFault, toError } from "./wire_error.ts";

class Failure {
  readonly fault: BrokerFault;

  constructor(fault: BrokerFault) {
    this.fault = fault;
  }
}

/** What a call came to, and how often it was sent. */
export interface AnsweredCall {
  readonly value: unknown;
  readonly attempts: number;
}

/**
 * Makes a call and waits for its result.
 *
 * The error is made only where there is one, and late, when the stack leads to who awaits this call: at no cost for the calls that
 * go well. There it takes the way that the engine follows.
 *
 * @throws {BrokerError}
 */
export function makeCall(
  caller: Caller,
  command: string,
  params: readonly unknown[],
  options: SubmitOptions,
): Promise<unknown> {
  if (!caller.tracesPromises) return awaitCall(caller, command, params, options);
  return new Promise<unknown>((resolve) => {
    caller.submit(command, params, options, new Promised(resolve, command, options.target));
  });
}

/** A rejection is a promise that is rejected later: when its error is made, its stack leads through both to who awaits them. */
class Promised implements Settle {
  readonly resolve: (outcome: unknown) => void;
  readonly #command: string;
  readonly #target: string;

  constructor(resolve: (outcome: unknown) => void, command: string, target: string) {
    this.resolve = resolve;
    this.#command = command;
    this.#target = target;
  }

  reject(fault: BrokerFault): void {
    this.resolve(throwLater(fault, { target: this.#target, command: this.#command }));
  }
}

async function throwLater(fault: BrokerFault, call: { target: string; command: string }): Promise<never> {
  // The first turn joins this promise to the one that is awaited.
  await undefined;
  await undefined;
  throw toError(fault, call);
}

/** Both ends of a call go to one function: an error is made later, where it is thrown. */
class Waiting implements Settle {
  readonly resolve: (outcome: unknown) => void;

  constructor(resolve: (outcome: unknown) => void) {
    this.resolve = resolve;
  }

  reject(fault: BrokerFault): void {
    this.resolve(new Failure(fault));
  }
}

async function awaitCall(
  caller: Caller,
  command: string,
  params: readonly unknown[],
  options: SubmitOptions,
): Promise<unknown> {
  const outcome = await new Promise<unknown>((resolve) => {
    caller.submit(command, params, options, new Waiting(resolve));
  });
  if (outcome instanceof Failure) throw toError(outcome.fault, { target: options.target, command });
  return outcome;
}

/** The same, for who wants to know of the attempts too. @throws {BrokerError} */
export async function measureCall(
  caller: Caller,
  command: string,
  params: readonly unknown[],
  options: SubmitOptions,
): Promise<AnsweredCall> {
  const outcome = await new Promise<AnsweredCall | Failure>((resolve) => {
    caller.submit(command, params, options, {
      resolve: (value, attempts) => resolve({ value, attempts }),
      reject: (fault) => resolve(new Failure(fault)),
    });
  });
  if (outcome instanceof Failure) throw toError(outcome.fault, { target: options.target, command });
  return outcome;
}
