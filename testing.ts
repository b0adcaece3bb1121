/**
 * Unit tests of modules: a broker in the test's own process, stubs that replace modules, and a clock that the test controls. It works in
 * every test runner, and imports none.
 *
 * @example A test
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineModule } from "brokkr";
 * import { startBroker, stub } from "brokkr/testing";
 *
 * const sla = defineModule({ name: "sla", commands: { get_report: (month: string) => ({ month, uptime: 99.7 }) } });
 * const web = defineModule({
 *   name: "web",
 *   commands: (ctx) => ({ page: async () => `up ${(await ctx.call(sla, "get_report", ["2021-10"])).uptime} %` }),
 * });
 *
 * await using broker = await startBroker({ modules: [web, stub(sla, { get_report: (month) => ({ month, uptime: 50 }) })] });
 * assert.equal(await broker.call(web, "page"), "up 50 %");
 * ```
 *
 * @module
 */

import { Broker, type BrokerOptions, type CallContext, type CommandsOf, defineModule, type Module } from "./mod.ts";

/** Options of {@linkcode startBroker}: those of `Broker.start`, with other defaults. */
export interface TestBrokerOptions extends Omit<BrokerOptions, "name" | "inProcess"> {
  /** Name of the broker. @default "test" */
  readonly name?: string;
  /** The broker's clock. @default the machine's */
  readonly clock?: TestClock;
  /** Whether the start rejects if a module's first start fails. @default true */
  readonly failFast?: boolean;
  /** The lowest level that is logged. @default "warning" */
  readonly logLevel?: NonNullable<BrokerOptions["logLevel"]>;
}

/** Those that were started and not stopped. */
const running = new Set<Broker>();

/**
 * Starts a broker that runs its modules in this process. Stop it with `await using` or {@linkcode stopBrokers}.
 *
 * @throws {Error} as `Broker.start` does: `failFast` is on here, so also if a module's start fails.
 */
export async function startBroker(options: TestBrokerOptions): Promise<Broker> {
  const { clock, ...others } = options;
  const inProcess = clock === undefined ? true : { clock };
  const broker = await Broker.start({ name: "test", failFast: true, logLevel: "warning", ...others, inProcess });
  running.add(broker);
  return broker;
}

/**
 * Stops every broker of {@linkcode startBroker} that still runs. Pass it to the runner: `afterEach(stopBrokers)`.
 */
export async function stopBrokers(): Promise<void> {
  const brokers = [...running];
  running.clear();
  await Promise.all(brokers.map((broker) => broker.stop()));
}

/** A command that can replace `H`. */
export type StubOf<H> = H extends (...params: infer P) => infer R
  // As a method, so that the stub of an untyped command may say what it expects.
  ? { handle(this: CallContext, ...params: P): R | Awaited<R> | Promise<Awaited<R>> }["handle"]
  : never;

/** The commands of a stub: any of the module's own. */
export type StubCommands<M> = { readonly [K in keyof CommandsOf<M>]?: StubOf<CommandsOf<M>[K]> };

/**
 * A module that replaces another one, or a program of `defineProgram`: it has that module's name and types, and only these `commands`. A
 * command that you leave out is unknown.
 */
export function stub<M extends Module>(module: M, commands: StubCommands<M>): Module<M["name"], CommandsOf<M>>;
/** The same by the module's name, for a module that the test does not import. */
export function stub<N extends string>(
  name: N,
  commands: Readonly<Record<string, (...params: never[]) => unknown>>,
): Module<N>;
export function stub(module: Module | string, commands: object): Module {
  return defineModule({ name: typeof module === "string" ? module : module.name, commands: { ...commands } });
}

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** Turns of the event loop in which what a timer began comes to rest. */
const TURNS = 20;

/**
 * A broker's clock, for {@linkcode startBroker}: brokkr's timeouts, restarts and delays happen only when the test advances it. It does
 * not affect timers of the modules' own code: use the fake timers of your runner for those.
 *
 * @example A call that times out at once
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineModule } from "brokkr";
 * import { startBroker, TestClock } from "brokkr/testing";
 *
 * const slow = defineModule({ name: "slow", commands: { wait: () => new Promise<void>(() => {}) } });
 * const clock = new TestClock();
 * await using broker = await startBroker({ modules: [slow], clock, logLevel: "fatal" });
 * const failed = assert.rejects(broker.call(slow, "wait", [], { timeoutMs: 60_000 }), { code: "TIMEOUT" });
 * await clock.advance(120_000);
 * await failed;
 * ```
 */
export class TestClock {
  /** Never 0, so that a moment differs from a duration. */
  #now = 1_000_000;
  readonly #wallAhead: number;
  readonly #timers = new Set<Timer>();
  readonly #turns = new Set<(fn: () => void) => void>();

  /** Stands still until `advance`. @param wallMs the time in log lines, in milliseconds since the epoch. @default the machine's time */
  constructor(wallMs: number = Date.now()) {
    this.#wallAhead = wallMs - this.#now;
  }

  /**
   * Advances the clock by `ms` milliseconds, timer by timer, and waits until the work of each timer has settled before the next.
   *
   * @throws {RangeError} if `ms` is not a number of at least 0.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`Cannot advance a TestClock by ${ms}: ms must be a number of at least 0`);
    const end = this.#now + ms;
    await this.#rest();
    while (this.#fire(end)) await this.#rest();
    // Another one may have moved it further meanwhile.
    this.#now = Math.max(this.#now, end);
  }

  /** For the broker: milliseconds since an arbitrary start. */
  now(): number {
    return this.#now;
  }

  /** For the broker: milliseconds since the epoch. */
  wall(): number {
    return this.#now + this.#wallAhead;
  }

  /** For the broker: calls `fn` when `ms` milliseconds have passed. Returns the function that clears it. */
  timer(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** For the broker: `turn` calls a function in the next turn of the event loop, whatever timers are faked. */
  follow(turn: (fn: () => void) => void): void {
    this.#turns.add(turn);
  }

  /** For the broker: time passes by itself until `work`, its own end, is over. */
  async runUntil(work: Promise<unknown>): Promise<void> {
    let isOver = false;
    const end = () => void (isOver = true);
    void work.then(end, end);
    await this.#rest();
    while (!isOver) {
      this.#fire(Infinity);
      await this.#rest();
    }
  }

  /** Fires the first timer that is due by `end`. False where there is none. */
  #fire(end: number): boolean {
    const next = this.#next(end);
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.fn();
    return true;
  }

  /** The first that is due by `end`; of those that are due together, the one that was set first. */
  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    return next;
  }

  async #rest(): Promise<void> {
    const [turn] = this.#turns;
    // A broker that is not there yet is being loaded, which takes the event loop and not only its promises.
    if (turn === undefined) return await eventLoopTurn();
    for (let count = 0; count < TURNS; count++) await new Promise<void>(turn);
  }
}

/** Fake timers leave a message channel alone. */
async function eventLoopTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve) => {
    port1.addEventListener("message", () => resolve());
    port1.start();
    port2.postMessage(null);
  });
  port1.close();
}
