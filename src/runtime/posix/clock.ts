/**
 * The time of this machine. A test of the program may put timers and a clock of its own in the place of the runtime's, and means the
 * program by it, not brokkr: a call that is made meanwhile must time out, and so must the next one. So brokkr takes those that
 * were there when it was loaded, and waits of the engine where these are not real either.
 */

import type { Clock } from "../runtime.ts";

/** Above it `setTimeout` of every runtime fires at once. */
const LONGEST_MS = 2 ** 31 - 1;
/** What is no wait at all would be over at once. */
const SHORTEST_MS = 1;
/** One pause of {@link whenSilent}. */
const SILENCE_MS = 25;

interface EngineWaits {
  waitAsync?(cell: Int32Array, index: number, value: number, ms: number): { readonly value: unknown };
  notify(cell: Int32Array, index: number): number;
}

type Named = object & { readonly name: string };

const waits: EngineWaits = Atomics;
const { Date, queueMicrotask } = globalThis;

// Deno loads a timer at the first look at it, which costs a process 5 ms, and Node a channel, 2 ms: only where to look is taken down here.
const globals = {
  MessageChannel: found<typeof MessageChannel>("MessageChannel"),
  setTimeout: found<(fn: () => void, ms: number) => unknown>("setTimeout"),
  clearTimeout: found<(handle: unknown) => void>("clearTimeout"),
  setImmediate: found<(fn: () => void) => unknown>("setImmediate"),
};

const machineNow = nodeNow() ?? nowOf(realPerformance());
const wall = wallClock();

/** The clock of this machine; `soon` differs by runtime. */
export function systemClock(soon: (fn: () => void) => void): Clock {
  const throwUncaught = (error: unknown) =>
    soon(() => {
      throw error;
    });
  // A timer takes 1 to 4 ms at least.
  const next = (fn: () => void) => {
    let isOver = false;
    immediate(() => isOver || fn());
    return () => void (isOver = true);
  };
  return {
    now: machineNow,
    wall,
    timer: (ms, fn) => ms > 0 ? timer(ms, fn) : next(fn),
    soon,
    throwUncaught,
  };
}

export const hasEngineTimers = waits.waitAsync !== undefined && wakesDeno();

/** Calls `fn` once after `ms`. Returns the function that clears it. */
export function timer(ms: number, fn: () => void): () => void {
  if (!(ms > LONGEST_MS)) return timeout(ms, fn);
  let clear = timeout(LONGEST_MS, () => {
    clear = timer(ms - LONGEST_MS, fn);
  });
  return () => clear();
}

export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => void timer(ms, resolve));
}

/**
 * Calls `fn` when `count` has stood still for two pauses. One is not enough: after a long computation timers run before
 * what arrived in the meantime is read. Returns the function that calls it off.
 */
export function whenSilent(count: () => number, fn: () => void): () => void {
  let seen = count();
  let pauses = 0;
  let clear = timer(SILENCE_MS, look);
  return () => clear();

  function look(): void {
    pauses = seen === count() ? pauses + 1 : 0;
    seen = count();
    if (pauses === 2) fn();
    else clear = timer(SILENCE_MS, look);
  }
}

/** Calls `fn` in the next turn of the event loop. */
export function immediate(fn: () => void): void {
  const set = globals.setImmediate();
  if (isOwn(set, "setImmediate")) set(fn);
  else timer(0, fn);
}

/** Calls `fn` when the code that runs now is done; what it throws is an uncaught error. */
export function microtask(fn: () => void): void {
  if (isOwn(queueMicrotask, "queueMicrotask")) queueMicrotask(fn);
  else void Promise.resolve().then(fn);
}

/** Whether the runtime itself has put fake timers behind the real functions, as Bun does, and with them a clock that stands still. */
export function isFaked(): boolean {
  return hasFakeClock(globals.setTimeout());
}

/**
 * A timer of the engine. It does not keep the process alive. The time of one that is set before a long computation begins after it.
 */
export function engineTimer(ms: number, fn: () => void): () => void {
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  let isSet = true;
  const wait = waits.waitAsync?.(cell, 0, 0, ms >= SHORTEST_MS ? ms : SHORTEST_MS);
  void Promise.resolve(wait?.value).then(() => {
    if (isSet) fn();
  });
  return () => {
    isSet = false;
    waits.notify(cell, 0);
  };
}

function timeout(ms: number, fn: () => void): () => void {
  const [set, clear] = [globals.setTimeout(), globals.clearTimeout()];
  let isSet = true;
  const handle = set(() => {
    if (isSet) fn();
  }, ms);
  if (hasEngineTimers && !isReal(set, handle)) {
    clear(handle);
    return lastingTimer(ms, fn);
  }
  return () => {
    // Where clearing is faked meanwhile, the timer still fires.
    isSet = false;
    clear(handle);
  };
}

/** Deno's mocks are behind the function itself, and show in what it returns. */
function isReal(set: Named, handle: unknown): boolean {
  if (!isOwn(set, "setTimeout")) return false;
  return typeof handle !== "object" || handle?.constructor.name === "Timeout";
}

/** A timer of the engine that keeps the process alive: an open port does. */
function lastingTimer(ms: number, fn: () => void): () => void {
  const { port1 } = new (globals.MessageChannel())();
  Reflect.set(port1, "onmessage", () => {});
  const clear = engineTimer(ms, () => {
    port1.close();
    fn();
  });
  return () => {
    port1.close();
    clear();
  };
}

/** Where a clock that is not the system's stands in its place, the time is reckoned from the start of this process. */
function wallClock(): () => number {
  if (Date.name === "Date" && isNative(Date)) return () => Date.now();
  const machine = realPerformance();
  const now = nowOf(machine);
  return () => machine.timeOrigin + now();
}

/** Before 2.7.6 Deno does not notice the end of such a wait while nothing else happens. */
function wakesDeno(): boolean {
  const deno: { readonly version: { readonly deno: string } } | undefined = Reflect.get(globalThis, "Deno");
  const [major = 0, minor = 0, patch = 0] = deno?.version.deno.split(".").map((part) => Number.parseInt(part)) ?? [9];
  return major > 2 || (major === 2 && (minor > 7 || (minor === 7 && patch >= 6)));
}

/** Whether `fn` is the runtime's: Node's mocks have other names, and those of libraries and of Bun have their clock with them. */
function isOwn(fn: Named, name: string): boolean {
  return fn.name === name && !hasFakeClock(fn);
}

function hasFakeClock(fn: object): boolean {
  return Object.hasOwn(fn, "clock");
}

function isNative(fn: object): boolean {
  return Function.prototype.toString.call(fn).includes("[native code]");
}

/** How to get at a global as it is now; where a test has replaced it before, at the copy in Node's own module. */
function found<Fn extends Named>(name: string): () => Fn {
  const own: TypedPropertyDescriptor<Fn> = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  let taken: Fn | undefined;
  return () => taken ??= chosen(name, own.value ?? own.get?.call(globalThis) ?? Reflect.get(globalThis, name));
}

function chosen<Fn extends Named>(name: string, own: Fn): Fn {
  if (isOwn(own, name)) return own;
  const builtin: object | undefined = globalThis.process?.getBuiltinModule?.("node:timers");
  return builtin === undefined ? own : Reflect.get(builtin, name) ?? own;
}

/** Node loads `performance` at the first look at it, which costs a process 1.7 ms; `hrtime` is there, and as fast. Null elsewhere. */
function nodeNow(): (() => number) | null {
  if ("Deno" in globalThis || "Bun" in globalThis) return null;
  const hrtime = globalThis.process?.hrtime;
  if (hrtime === undefined || hasFakeClock(hrtime)) return null;
  return () => {
    const [seconds, ns] = hrtime();
    return seconds * 1_000 + ns / 1_000_000;
  };
}

/** Not looked up again at each use: a test may put a function of its own in its place, which the one of the prototype survives. */
function nowOf(of: Pick<typeof globalThis.performance, "now">): () => number {
  const inherited: unknown = Reflect.get(Object.getPrototypeOf(of), "now");
  const now = typeof inherited === "function" ? inherited : of.now;
  return now.bind(of);
}

function realPerformance(): Pick<typeof globalThis.performance, "now" | "timeOrigin"> {
  const { performance } = globalThis;
  if (performance.now.name === "now") return performance;
  return globalThis.process?.getBuiltinModule?.("node:perf_hooks").performance ?? performance;
}
