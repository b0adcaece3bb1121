/**
 * Processes that are none: each is served in this process, over a channel in memory, by what serves a real one. So calls, limits,
 * timeouts and lines are the same, and values are copied. What one of them keeps in a module's variables is everybody's.
 */

import type {
  Channel,
  ChannelEvents,
  Clock,
  ExitStatus,
  ProgramProcess,
  Runtime,
  SpawnProgramOptions,
} from "../../runtime/runtime.ts";
import { Wakes } from "../call/local.ts";
import type { Module } from "../module/definition.ts";
import { readRole, ROLE_VARIABLE } from "./role.ts";
import { serveProcess } from "./serve.ts";

/** A broker's clock. */
export interface TimeSource {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Milliseconds since the epoch, for log lines only. */
  wall(): number;
  /** Calls `fn` once after `ms` milliseconds. Returns a function that clears it. */
  timer(ms: number, fn: () => void): () => void;
  /** Receives `turn`, which calls a function in the next turn of the event loop. */
  follow?(turn: (fn: () => void) => void): void;
  /** Lets time pass by itself until `work`, the stop of the broker, is done. */
  runUntil?(work: Promise<unknown>): unknown;
}

export interface InProcessOptions {
  readonly modules: readonly Module[];
  readonly clock: TimeSource | undefined;
  readonly product: string;
  readonly aligned: boolean;
}

/** `runtime` for a broker whose modules and workers are served in its own process. Programs of other languages are processes. */
export function inProcess(runtime: Runtime, options: InProcessOptions): Runtime {
  const { servingClock: _, ...own } = runtime;
  const clock: TimeSource = options.clock ?? runtime.clock;
  clock.follow?.(runtime.clock.soon);
  const owner: Runtime = {
    ...own,
    clock: {
      now: () => clock.now(),
      wall: () => clock.wall(),
      timer: (ms, fn) => clock.timer(ms, fn),
      soon: runtime.clock.soon,
      throwUncaught: runtime.clock.throwUncaught,
    },
    // There is nothing that could have fewer rights.
    cannotSandbox: null,
    cannotTakeFlags: null,
    cannotRepeat: () => null,
    sharedFiles: () => Promise.resolve(null),
    spawnProgram: (spawn) => Promise.resolve(new HostedProcess(owner, { ...options, spawn })),
  };
  return owner;
}

interface HostOptions extends InProcessOptions {
  readonly spawn: SpawnProgramOptions;
}

class HostedProcess implements ProgramProcess {
  readonly pid: number;
  readonly channel: Promise<Channel>;
  readonly exited: Promise<ExitStatus>;
  #settleExited: (status: ExitStatus) => void = () => {};
  readonly #far: LocalChannel;
  readonly #timers = new Set<() => void>();
  readonly #children = new Set<HostedProcess>();
  #hasEnded = false;

  constructor(owner: Runtime, options: HostOptions) {
    const { modules, product, aligned, spawn } = options;
    const [near, far] = LocalChannel.pair(owner.clock);
    this.pid = owner.pid;
    this.channel = Promise.resolve(near);
    this.exited = new Promise((resolve) => this.#settleExited = resolve);
    this.#far = far;
    const variables = new Map(Object.entries(spawn.env("memory")));
    const { role } = readRole(variables.get(ROLE_VARIABLE));
    if (role === null) throw new Error("Cannot serve a process in this one: it has no role");
    const thread = owner.thread();
    const runtime: Runtime = {
      ...owner,
      clock: this.#clock(owner.clock),
      // What the program's own code finds in its environment is this process'.
      env: {
        get: (name) => variables.get(name),
        set: (name, value) => void variables.set(name, value),
        remove: (name) => void variables.delete(name),
        all: () => Object.fromEntries(variables),
      },
      // The name that the code around the start of the broker has is not the module's.
      thread() {
        const name = owner.thread();
        return name === thread ? undefined : name;
      },
      parentChannel: () => Promise.resolve(far),
      spawnProgram: (inner) => this.#spawn(runtime, { ...options, spawn: inner }),
      // Signals are for this process.
      onSignal: () => () => {},
      writeError: (text) => void (this.#hasEnded || spawn.output?.("stderr", new TextEncoder().encode(text))),
    };
    const load = () => Promise.resolve(modules);
    const end = (code: number) => this.#end({ code, signal: null });
    void serveProcess({ runtime, role, load, program: undefined, product, aligned, end });
  }

  kill(signal: string): boolean {
    if (this.#hasEnded) return false;
    this.#end({ code: null, signal });
    return true;
  }

  /** It starts no group. */
  groupRuns(): boolean {
    return false;
  }

  /** In a process that has ended nothing goes on but the module's own code: that can't be stopped here. */
  #end(status: ExitStatus): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const clear of this.#timers) clear();
    for (const child of this.#children) child.kill("SIGKILL");
    this.#far.close();
    this.#settleExited(status);
  }

  #spawn(owner: Runtime, options: HostOptions): Promise<ProgramProcess> {
    if (this.#hasEnded) return new Promise(() => {});
    const child = new HostedProcess(owner, options);
    this.#children.add(child);
    void child.exited.then(() => this.#children.delete(child));
    return Promise.resolve(child);
  }

  #clock(clock: Clock): Clock {
    return {
      ...clock,
      timer: (ms, fn) => {
        if (this.#hasEnded) return () => {};
        const clear = () => {
          this.#timers.delete(clear);
          clearTimer();
        };
        const clearTimer = clock.timer(ms, () => {
          this.#timers.delete(clear);
          fn();
        });
        this.#timers.add(clear);
        return clear;
      },
    };
  }
}

/** Of so many deliveries one waits for what else is ready in the event loop. */
const IN_A_ROW = 16;

/** One end of a channel in memory. What is written is copied, and delivered when the code that runs now is done. */
class LocalChannel implements Channel {
  readonly unsentBytes = 0;
  readonly #wakes: Wakes;
  #peer: LocalChannel | undefined;
  #events: ChannelEvents | undefined;
  /** What has arrived here and was not delivered; null is the end. */
  #arrived: (Uint8Array | null)[] = [];
  #wake: () => void = () => {};
  #isClosed = false;

  private constructor(clock: Clock) {
    this.#wakes = new Wakes(() => this.#wake(), clock, IN_A_ROW);
    void this.#deliver();
  }

  static pair(clock: Clock): [LocalChannel, LocalChannel] {
    const [near, far] = [new LocalChannel(clock), new LocalChannel(clock)];
    near.#peer = far;
    far.#peer = near;
    return [near, far];
  }

  write(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#peer?.arrive(bytes.slice());
  }

  open(events: ChannelEvents): void {
    this.#events = events;
    this.#wakes.next();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.arrive(null);
    this.#peer?.arrive(null);
  }

  abort(): void {
    this.#arrived = [];
    this.close();
  }

  arrive(chunk: Uint8Array | null): void {
    this.#arrived.push(chunk);
    this.#wakes.next();
  }

  /** In a function that goes on, so that what is delivered does not run in the writer's own asynchronous context. */
  async #deliver(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      const events = this.#events;
      if (events === undefined) continue;
      for (let chunk = this.#arrived.shift(); chunk !== undefined; chunk = this.#arrived.shift()) {
        if (chunk !== null) {
          events.data(chunk);
          continue;
        }
        this.#isClosed = true;
        return events.closed();
      }
    }
  }
}
