/**
 * A call as a promise.
 *
 * @module
 */

import { Call, type Settle } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { SubmitOptions } from "./caller_options.ts";
import { stackFrom } from "../log/user_stack.ts";
import { type BrokerFault, toError } from "../faults.ts";

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
  const promise = new Promise<unknown>(takeResolve);
  caller.submit(new Call(command, options, { resolve: taken, reject: rejectLater }), params);
  return promise;
}

/** How the promise that was made last is resolved. One function for all promises: one of its own costs each as much as the promise. */
let taken: (outcome: unknown) => void = () => {};

function takeResolve(resolve: (outcome: unknown) => void): void {
  taken = resolve;
}

/** A rejection is a promise that is rejected later: when its error is made, its stack leads through both to who awaits them. */
function rejectLater(fault: BrokerFault, call: Call): void {
  call.resolve(throwLater(fault, { target: call.target, command: call.command }), call.attempt);
}

async function throwLater(fault: BrokerFault, call: { target: string; command: string }): Promise<never> {
  // The first turn joins this promise to the one that is awaited.
  await undefined;
  await undefined;
  throw stackFrom(toError(fault, call), throwLater);
}

async function awaitCall(
  caller: Caller,
  command: string,
  params: readonly unknown[],
  options: SubmitOptions,
): Promise<unknown> {
  const promise = new Promise<unknown>(takeResolve);
  caller.submit(new Call(command, options, { resolve: taken, reject: giveFault }), params);
  const outcome = await promise;
  if (outcome instanceof Failure) {
    throw stackFrom(toError(outcome.fault, { target: options.target, command }), awaitCall);
  }
  return outcome;
}

/** Both ends of a call go to one function: an error is made later, where it is thrown. */
function giveFault(fault: BrokerFault, call: Call): void {
  call.resolve(new Failure(fault), call.attempt);
}

/** The same, for who wants to know of the attempts too. @throws {BrokerError} */
export async function measureCall(
  caller: Caller,
  command: string,
  params: readonly unknown[],
  options: SubmitOptions,
): Promise<AnsweredCall> {
  const outcome = await new Promise<AnsweredCall | Failure>((resolve) => {
    const settle: Settle = {
      resolve: (value, attempts) => resolve({ value, attempts }),
      reject: (fault) => resolve(new Failure(fault)),
    };
    caller.submit(new Call(command, options, settle), params);
  });
  if (outcome instanceof Failure) {
    throw stackFrom(toError(outcome.fault, { target: options.target, command }), measureCall);
  }
  return outcome;
}
