/** What a module's own code gets. */

import type { Commands, Module } from "./module.ts";

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds for one attempt, or until the next sign of progress. @default 1000, or the broker's `call.timeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds for the whole call, whatever progress it makes. @default no limit */
  readonly totalTimeoutMs?: number | undefined;
  /**
   * Whether a call without an answer in time is sent a second time. @default "once", or the broker's `call.retry`; `"never"` for
   * programs of `defineProgram`
   */
  readonly retry?: "once" | "never" | undefined;
  /**
   * Receives each value that the command passes to `this.progress`, in the `AsyncLocalStorage` context of the call. What it throws is an
   * uncaught error of this process.
   */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
  /** Name of the context in the log lines. @default that of `withThread`, else `MainThread` */
  readonly thread?: string | undefined;
}

/** The commands of a module, as types. */
export type CommandsOf<M> = M extends { readonly "~types"?: { readonly commands: infer C } } ? C : never;

/** Parameters of a command, without its `this`. */
export type ParamsOf<H> = H extends (...params: infer P) => unknown ? P : never;

/** What a call of a command resolves with; never, where the command is a generator and has to be streamed. */
export type ResultOf<H> = H extends (...params: never[]) => infer R
  ? Awaited<R> extends AsyncGenerator | Generator ? never : Awaited<R>
  : never;

/** What a stream of a command yields. */
export type ItemOf<H> = H extends (...params: never[]) => infer R
  ? unknown extends R ? unknown : Awaited<R> extends AsyncIterable<infer T> | Iterable<infer T> ? T : never
  : never;

/** The commands of a module's workers, as types. */
export type WorkerCommandsOf<M> = M extends { readonly "~types"?: { readonly workers: infer W extends Commands } } ? W
  : never;

/** The commands of a module as functions that call them; without those that yield, which are streamed, and without `then`. */
export type ModuleCommands<M> = {
  readonly [
    K in keyof CommandsOf<M> as CommandsOf<M>[K] extends (...params: never[]) => infer R
      ? [R] extends [never] ? K : Awaited<R> extends AsyncGenerator | Generator ? never : Exclude<K, "then">
      : never
  ]: (...params: ParamsOf<CommandsOf<M>[K]>) => Promise<ResultOf<CommandsOf<M>[K]>>;
};

/** Calls a command: of a module object with its types, of a name with `unknown` ones. */
export interface CallCommand {
  <M extends Module, K extends keyof CommandsOf<M> & string>(
    target: M,
    command: K,
    params?: ParamsOf<CommandsOf<M>[K]>,
    options?: CallOptions,
  ): Promise<ResultOf<CommandsOf<M>[K]>>;
  (target: string, command: string, params?: readonly unknown[], options?: CallOptions): Promise<unknown>;
}

/** Streams a command that yields: of a module object with its types, of a name with `unknown` ones. */
export interface StreamCommand {
  <M extends Module, K extends keyof CommandsOf<M> & string>(
    target: M,
    command: K,
    params?: ParamsOf<CommandsOf<M>[K]>,
    options?: CallOptions,
  ): ItemStream<ItemOf<CommandsOf<M>[K]>>;
  (target: string, command: string, params?: readonly unknown[], options?: CallOptions): ItemStream;
}

/** Streams a command of one of the module's workers, the one with the least to do. */
export type StreamWorker<W extends Commands> = <K extends keyof W & string>(
  command: K,
  params?: ParamsOf<W[K]>,
  options?: CallOptions,
) => ItemStream<ItemOf<W[K]>>;

/**
 * What a command yields, item by item. The call begins with the first `next()`; leaving a `for await` ends the command. The command
 * is at most 256 KiB or 1,024 items ahead of the reader. Of `map`: the results, and leaving cancels the calls that are under way.
 */
export interface ItemStream<T = unknown> extends AsyncIterableIterator<T>, AsyncDisposable {
  /** Itself. */
  [Symbol.asyncIterator](): ItemStream<T>;
}

/** Calls a command of one of the module's workers, the one with the least to do. */
export type CallWorker<W extends Commands> = <K extends keyof W & string>(
  command: K,
  params?: ParamsOf<W[K]>,
  options?: CallOptions,
) => Promise<ResultOf<W[K]>>;

/** Options of `map`: those of each call, and how the calls are made. */
export interface MapOptions<K extends string = string> extends Omit<CallOptions, "onProgress" | "signal"> {
  /** The workers' command, which is called with each item as its only parameter. */
  readonly command: K;
  /** How many calls are under way at the same time. @default 2 for each worker */
  readonly concurrency?: number | undefined;
  /** Whether results come in the order of their items; else as soon as they are there. @default true */
  readonly ordered?: boolean | undefined;
  /** Receives each value that the command passes to `this.progress`, and the number of its item, from 0. */
  readonly onProgress?: ((value: unknown, index: number) => void) | undefined;
  /** Cancels the calls that are under way, and ends the results with a `CallCancelledError`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls a command of the workers with each of `items` as its only parameter, and yields the results. The next item is read when its
 * call can be made, and no more than four times `concurrency` wait to be taken: a million items take no more memory than a few. The
 * first error ends it.
 */
export type MapWorkers<W extends Commands> = <K extends keyof W & string>(
  items: AsyncIterable<ParamsOf<W[K]>[0]> | Iterable<ParamsOf<W[K]>[0]>,
  options: MapOptions<K>,
) => ItemStream<ResultOf<W[K]>>;

/** Calls to the workers of a module. */
export interface WorkerCalls<W extends Commands> {
  /** Calls the one with the least to do. */
  readonly call: CallWorker<W>;
  /** Streams a command of the one with the least to do. */
  readonly stream: StreamWorker<W>;
  /** Calls a command with each of many items. */
  readonly map: MapWorkers<W>;
}

/** Whose process this is. */
export interface ProcessRole {
  /** Name of the broker. */
  readonly broker: string;
  /** Name of the module. */
  readonly module: string;
  /** Number of the worker from 1, or null in the module's own process. */
  readonly worker: number | null;
}

/** Writes into the broker's log, with the module's name and this process' pid. */
export interface ModuleLog {
  /** Logs event `module.debug`; costs nothing while nobody subscribes to it. */
  debug(text: string): void;
  /** Logs event `module.info`. */
  info(text: string): void;
  /** Logs event `module.warning`. */
  warning(text: string): void;
  /** Logs event `module.error`. */
  error(text: string): void;
}

/** The context of a module in one of its processes. */
export interface ModuleContext<W extends Commands = Commands, O = unknown> {
  /** Name of the broker. */
  readonly broker: string;
  /** Name of the module. */
  readonly module: string;
  /** Whose process this is: the module's own or a worker's. */
  readonly role: ProcessRole;
  /** The module's `options`, or null where there are none; with `optionsSchema` what that made of them. */
  readonly options: O;
  /** Writes into the broker's log. */
  readonly log: ModuleLog;
  /** Aborted when the process begins to drain. */
  readonly signal: AbortSignal;
  /** The module's workers. A worker has none: a call from it is rejected. */
  readonly workers: WorkerCalls<W>;
  /** Calls another module, or the broker by its name, through the broker. */
  readonly call: CallCommand;
  /** Streams a command of another module, or of the broker by its name, through the broker. */
  readonly stream: StreamCommand;
  /** Sends a notification, which has no answer, to a program of `defineProgram` through the broker. */
  notify(target: Module | string, method: string, params?: readonly unknown[], options?: CallOptions): Promise<void>;
  /**
   * Disposes of `resource` when this process ends, the last one first, each once. One that was disposed of earlier, by `using` or
   * otherwise, is left alone. Takes what `owns` of a module takes.
   *
   * @returns the resource itself.
   * @throws {TypeError} when it can't be disposed of.
   */
  own<T>(resource: T): T;
}
