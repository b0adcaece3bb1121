/**
 * Stacks without brokkr's own frames. A bundle has the user's code and the library in one file, so no path tells them apart: the
 * place where a user's function was called does.
 *
 * @module
 */

import { BrokerError } from "../faults.ts";
import { isError } from "../thrown.ts";
import { applyUser } from "../user_code.ts";
import { readJsFrame } from "./js_frame.ts";

/** What stands in a stack for all that called the user's function. */
const CALLED_BY_BROKKR = "at brokkr (native)";

/** `stack` up to the place where brokkr called the user's function. */
export function userStack(stack: string): string {
  const line = place ??= findPlace();
  const at = line === "" ? -1 : stack.indexOf(line);
  return at === -1 ? stack : stack.slice(0, at) + CALLED_BY_BROKKR;
}

/** Several stacks in one text, which is logged as it is. */
export function joinedStacks(stacks: readonly string[]): string {
  return stacks.join("\n").split("\n").filter((line) => line.trim() !== CALLED_BY_BROKKR).join("\n");
}

/**
 * Makes the stack of an error of brokkr's begin where `fn` was called; for an async function, where it is awaited. An async arrow
 * function is not found by Bun.
 */
export function stackFrom<Thrown>(error: Thrown, fn: (...params: never[]) => unknown): Thrown {
  if (!isError(error) || !(error instanceof BrokerError)) return error;
  const capture: unknown = Reflect.get(Error, "captureStackTrace");
  if (typeof capture === "function") Reflect.apply(capture, Error, [error, fn]);
  return error;
}

let place: string | undefined;

/** The frame of `applyUser` as this engine writes it; empty where it writes none. */
function findPlace(): string {
  const probe = () => new Error().stack;
  const lines = String(applyUser(probe, undefined, [])).split("\n").map((line) => line.trim());
  const frames = lines.filter((line) => readJsFrame(line)?.native === false);
  return frames[1] ?? "";
}
