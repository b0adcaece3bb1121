/** What a module is defined with, and what its own code gets: the types, which the compiler alone needs. */

import type { Endpoint } from "../../runtime/runtime.ts";
import type { Framing, ModuleSettings, ProtocolName } from "../settings/settings.ts";

/** The context of one call: `this` in its handler. */
export interface CallContext {
  /** Number of the call on its channel; the same for both attempts. */
  readonly id: number;
  /** 1, or 2 if the first attempt never reached this process. */
  readonly attempt: number;
  /** Name of the calling process, as it claims: for logs and statistics only. */
  readonly caller: string;
  /** Aborted when the caller cancels, times out or exits. */
  readonly signal: AbortSignal;
  /**
   * Reports progress to the caller: passes `value` to the call's `onProgress` and restarts its timeout. brokkr drops progress while 4 MiB
   * of unread data wait for the caller. @throws {TypeError} if `value` can't be sent.
   */
  progress(value: unknown): void;
}

/** A command: receives the parameters spread, and returns the result or a promise of it. */
export type Handler = (this: CallContext, ...params: never[]) => unknown;

/** Commands by name. */
export type Commands = Readonly<Record<string, Handler>>;

/** A class of errors. */
export type ErrorClass = abstract new (...args: never[]) => object;

/** The workers of a module: identical processes that it runs for itself. */
export interface WorkersDefinition<W extends Commands = Commands, O = unknown> {
  /** How many. They are named `M-1`, `M-2`, … */
  readonly count: number;
  /** Commands that the module calls with `ctx.workers.call`, or a function of the worker's context that returns them. */
  readonly commands: W | ((ctx: ModuleContext<Commands, O>) => W);
  /** Called in each worker before its first command: releases what only the module's own process needs. */
  afterForkCleanup?(): unknown;
}

/** The parameter of {@link defineModule}. */
export interface ModuleDefinition<
  N extends string = string,
  C extends Commands = Commands,
  W extends Commands = Commands,
  O = unknown,
> extends ModuleSettings {
  /** `[A-Za-z0-9._-]{1,64}`, different from all other names of the broker. */
  readonly name: N;
  /** Workers that the module runs for itself. @default none */
  readonly workers?: WorkersDefinition<W, O>;
  /**
   * Validates the module's `options` in each of its processes before its commands are created, and types `ctx.options`. Works with any
   * library that implements Standard Schema. Without options it validates `undefined`. @default no validation
   */
  readonly optionsSchema?: StandardSchema<unknown, O>;
  /** Commands that others call, or a function of the module's context that returns them. @default none */
  readonly commands?: C | ((ctx: ModuleContext<string extends keyof W ? Record<never, never> : W, O>) => C);
  /**
   * Classes of errors that are answers, not faults: the caller still gets a `RemoteError`, with `expected: true`, but the call counts as
   * answered and no process logs a line at ERROR. @default none
   */
  readonly expected?: readonly ErrorClass[];
  /**
   * What this module created at import. brokkr disposes of it in the processes of the other modules, after {@linkcode afterForkCleanup},
   * and when the module's own process ends, last first. It uses the first of these that a resource has: `Symbol.asyncDispose`,
   * `Symbol.dispose`, `close()`, `destroy()`, `end()`, `clear()`; it calls a function. It skips a resource that is `disposed`,
   * `destroyed` or `closed`. @default none
   */
  readonly owns?: readonly unknown[];
  /** Called in the processes of the other modules, before what is in `owns` is disposed of. It and `owns` have 5 s. */
  afterForkCleanup?(): unknown;
  /** Called in the module's own process, after the cleanup and before the first command. */
  start?(ctx: ModuleContext<string extends keyof W ? Record<never, never> : W, O>): unknown;
  /** Called in the module's own process, last before it ends: after the running calls, within `drainMs`. */
  stop?(ctx: ModuleContext<string extends keyof W ? Record<never, never> : W, O>): unknown;
}

/** Answers a program's request. What it throws becomes the error of the answer, with `code` and `data` if it has them. */
export type RequestHandler = {
  // As a method, so that a handler may say what it expects of `params`.
  handle(params: unknown, context: { readonly signal: AbortSignal }): unknown;
}["handle"];

/** Receives the parameters of a program's notification. */
export type NotificationHandler = { handle(params: unknown): unknown }["handle"];

/** A checked program. */
export interface ProgramPlan {
  /** The executable and its arguments. */
  readonly command: readonly string[];
  /** What it speaks. */
  readonly protocol: ProtocolName;
  /** How its messages are separated. */
  readonly framing: Framing;
  /** What the user wants in the parameters of `initialize`. */
  readonly initialize: Readonly<Record<string, unknown>>;
  /** When it is ready, with protocol `none`; null for as soon as it runs. */
  readonly ready: Endpoint | null;
  /** Handlers of its requests, by method. */
  readonly requests: ReadonlyMap<string, RequestHandler>;
  /** Handlers of its notifications, by method. */
  readonly notifications: ReadonlyMap<string, NotificationHandler>;
}

/** A checked module, which carries the types of its commands. */
export interface Module<N extends string = string, C extends Commands = Commands, W extends Commands = Commands> {
  /** Name of the module. */
  readonly name: N;
  /** What it was defined with. */
  readonly definition: ModuleDefinition;
  /** For the compiler only, absent at run time: the types of the commands. */
  readonly "~types"?: { readonly commands: C; readonly workers: W };
}

/** A module as the broker has it. */
export interface CheckedModule<C extends Commands = Commands> extends Module<string, C> {
  /** What it runs, where it is a program of another language. */
  readonly program?: ProgramPlan;
}

/** Options of one call. */
export interface CallOptions {
  /**
   * Milliseconds for one attempt; progress restarts it. @default the command's in `calls` of its module, the module's `timeoutMs`, the
   * broker's `call.timeoutMs`, else 1000, and 60000 for MCP and language servers
   */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds for the whole call, however much progress it makes. @default no limit */
  readonly totalTimeoutMs?: number | undefined;
  /**
   * Whether a second attempt follows the first timeout. @default as for `timeoutMs`, else "once", and "never" for programs of
   * `defineProgram`
   */
  readonly retry?: "once" | "never" | undefined;
  /**
   * Receives each value that the command passes to `this.progress`, in the `AsyncLocalStorage` context of the call. An error that it
   * throws is an uncaught error of this process.
   */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** Cancels the call when it is aborted. @default none */
  readonly signal?: AbortSignal | undefined;
  /** Thread name in the log lines. @default that of `withThread`, else `MainThread` */
  readonly thread?: string | undefined;
}

/** The commands of a module, as types. */
export type CommandsOf<M> = M extends { readonly "~types"?: { readonly commands: infer C } } ? C : never;

/** Parameters of a command, without its `this`. */
export type ParamsOf<H> = H extends (...params: infer P) => unknown ? P : never;

/** The type that a call of a command resolves with; `never` for a generator, which you stream instead. */
export type ResultOf<H> = H extends (...params: never[]) => infer R
  ? Awaited<R> extends AsyncGenerator | Generator ? never : Awaited<R>
  : never;

/** The type of the items that a streamed command yields. */
export type ItemOf<H> = H extends (...params: never[]) => infer R
  ? unknown extends R ? unknown : Awaited<R> extends AsyncIterable<infer T> | Iterable<infer T> ? T : never
  : never;

/** The commands of a module's workers, as types. */
export type WorkerCommandsOf<M> = M extends { readonly "~types"?: { readonly workers: infer W extends Commands } } ? W
  : never;

/** The commands of a module as functions that call them, except `then`, `toJSON` and commands that yield, which you stream instead. */
export type ModuleCommands<M> = {
  readonly [
    K in keyof CommandsOf<M> as CommandsOf<M>[K] extends (...params: never[]) => infer R
      ? [R] extends [never] ? K : Awaited<R> extends AsyncGenerator | Generator ? never : Exclude<K, "then" | "toJSON">
      : never
  ]: (...params: ParamsOf<CommandsOf<M>[K]>) => Promise<ResultOf<CommandsOf<M>[K]>>;
};

/** Calls a command: typed for a module object, `unknown` for a module's name. */
export interface CallCommand {
  <M extends Module, K extends keyof CommandsOf<M> & string>(
    target: M,
    command: K,
    params?: ParamsOf<CommandsOf<M>[K]>,
    options?: CallOptions,
  ): Promise<ResultOf<CommandsOf<M>[K]>>;
  (target: string, command: string, params?: readonly unknown[], options?: CallOptions): Promise<unknown>;
}

/** Streams a command that yields: typed for a module object, `unknown` for a module's name. */
export interface StreamCommand {
  <M extends Module, K extends keyof CommandsOf<M> & string>(
    target: M,
    command: K,
    params?: ParamsOf<CommandsOf<M>[K]>,
    options?: CallOptions,
  ): ItemStream<ItemOf<CommandsOf<M>[K]>>;
  (target: string, command: string, params?: readonly unknown[], options?: CallOptions): ItemStream;
}

/** Streams a command of the worker with the fewest pending calls. */
export type StreamWorker<W extends Commands> = <K extends keyof W & string>(
  command: K,
  params?: ParamsOf<W[K]>,
  options?: CallOptions,
) => ItemStream<ItemOf<W[K]>>;

/**
 * What a command yields, item by item. The first `next()` sends the call; leaving a `for await` ends the command. The command runs at
 * most 256 KiB or 1,024 items ahead of the reader. For `map` the items are the results, and leaving cancels the running calls.
 */
export interface ItemStream<T = unknown> extends AsyncIterableIterator<T>, AsyncDisposable {
  /** Itself. */
  [Symbol.asyncIterator](): ItemStream<T>;
}

/** Calls a command of the worker with the fewest pending calls. */
export type CallWorker<W extends Commands> = <K extends keyof W & string>(
  command: K,
  params?: ParamsOf<W[K]>,
  options?: CallOptions,
) => Promise<ResultOf<W[K]>>;

/** Options of `map`, with those of each call. */
export interface MapOptions<K extends string = string> extends Omit<CallOptions, "onProgress" | "signal"> {
  /** The workers' command to call with each item as its only parameter. */
  readonly command: K;
  /** How many calls run or wait in workers at the same time. @default 2 for each worker */
  readonly concurrency?: number | undefined;
  /** Whether results come in the order of their items; if false, as soon as they arrive. @default true */
  readonly ordered?: boolean | undefined;
  /** Receives each value that the command passes to `this.progress`, and the index of its item. */
  readonly onProgress?: ((value: unknown, index: number) => void) | undefined;
  /** When aborted, cancels the running calls and ends the results with a `CallCancelledError`. @default none */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls a command of the workers with each of `items` as its only parameter, and yields the results. It reads the next item when it can
 * make the call, and holds at most four times `concurrency` results that nobody has read: a million items need no more memory than a
 * few. The first error ends the results.
 */
export type MapWorkers<W extends Commands> = <K extends keyof W & string>(
  items: AsyncIterable<ParamsOf<W[K]>[0]> | Iterable<ParamsOf<W[K]>[0]>,
  options: MapOptions<K>,
) => ItemStream<ResultOf<W[K]>>;

/** Calls the workers of a module. */
export interface WorkerCalls<W extends Commands> {
  /** Calls a command of the worker with the fewest pending calls. */
  readonly call: CallWorker<W>;
  /** Streams a command of the worker with the fewest pending calls. */
  readonly stream: StreamWorker<W>;
  /** Calls a command once for each of many items. */
  readonly map: MapWorkers<W>;
}

/** Which process of the broker this is. */
export interface ProcessRole {
  /** Name of the broker. */
  readonly broker: string;
  /** Name of the module. */
  readonly module: string;
  /** Number of the worker, from 1; null in the module's own process. */
  readonly worker: number | null;
}

/** Writes into the broker's log, with the module's name and this process' pid. */
export interface ModuleLog {
  /** Logs event `module.debug`; costs nothing while DEBUG is off and nobody listens to the event. */
  debug(text: string): void;
  /** Logs event `module.info`. */
  info(text: string): void;
  /** Logs event `module.warning`. */
  warning(text: string): void;
  /** Logs event `module.error`. */
  error(text: string): void;
}

/** The context of a module in one of its processes: `ctx`. */
export interface ModuleContext<W extends Commands = Commands, O = unknown> {
  /** Name of the broker. */
  readonly broker: string;
  /** Name of the module. */
  readonly module: string;
  /** Whether this is the module's own process or a worker. */
  readonly role: ProcessRole;
  /** The module's `options`, null without any; with `optionsSchema` the validated value. */
  readonly options: O;
  /** Writes into the broker's log. */
  readonly log: ModuleLog;
  /** Aborted when the process begins to drain. */
  readonly signal: AbortSignal;
  /** Calls the module's workers. A worker has none: its own calls reject. */
  readonly workers: WorkerCalls<W>;
  /** Calls a command of another module, or of the broker by its name. The call goes through the broker. */
  readonly call: CallCommand;
  /** Streams a command of another module, or of the broker by its name. */
  readonly stream: StreamCommand;
  /** Sends a notification, which has no answer, to a program of `defineProgram`. */
  notify(target: Module | string, method: string, params?: readonly unknown[], options?: CallOptions): Promise<void>;
  /**
   * Disposes of `resource` when this process ends, last first, unless something has disposed of it before. Accepts what a module's
   * `owns` accepts.
   *
   * @returns the resource itself.
   * @throws {TypeError} if it can't be disposed of.
   */
  own<T>(resource: T): T;
}

/** The part of Standard Schema, version 1, that validation needs. Valibot, Zod, ArkType and others implement it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The properties of the standard. */
  readonly "~standard": {
    /** Of the standard. */
    readonly version: 1;
    /** Name of the library. */
    readonly vendor: string;
    /** Checks a value, which may become another one. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Of Standard JSON Schema: what `brokkr describe` shows of it. Not every library has it. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
      readonly output: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
    /** For the compiler only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The outcome of a validation: the value, or its issues. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One issue that a validation found. */
export interface SchemaIssue {
  /** The library's own text. */
  readonly message: string;
  /** Keys that lead from the value to the issue. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
