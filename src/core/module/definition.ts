/** What a module is defined with, and what its own code gets: the types, which the compiler alone needs. */

import type { Endpoint } from "../../runtime/runtime.ts";
import type { Framing, ModuleSettings, ProtocolName } from "../settings/settings.ts";

/** The context of one call, as `this` of its handler. */
export interface CallContext {
  /** Number of the call on its channel; the same for both attempts. */
  readonly id: number;
  /** 1, or 2 where the first attempt never reached this process. */
  readonly attempt: number;
  /** Name of the process that called. */
  readonly caller: string;
  /** Aborted when the caller cancels, or gives up because no answer came in time. */
  readonly signal: AbortSignal;
  /**
   * Reports progress to the caller: `onProgress` of its call gets `value`, and the timeout starts again. It is dropped while the
   * caller cannot read. @throws {TypeError} where `value` can't be sent.
   */
  progress(value: unknown): void;
}

/** A command: gets the parameters spread, returns the result or a promise of it. */
export type Handler = (this: CallContext, ...params: never[]) => unknown;

/** Commands by name. */
export type Commands = Readonly<Record<string, Handler>>;

/** A class of errors. */
export type ErrorClass = abstract new (...args: never[]) => object;

/** Processes that a module runs for itself, all alike. */
export interface WorkersDefinition<W extends Commands = Commands, O = unknown> {
  /** How many. They are named `M-1`, `M-2`, … */
  readonly count: number;
  /** What the module can call on them with `ctx.workers.call`; or a function of the worker's context that returns it. */
  readonly commands: W | ((ctx: ModuleContext<Commands, O>) => W);
  /** Called in the workers: releases what only the module's own process needs. */
  afterForkCleanup?(): unknown;
}

/** What {@link defineModule} takes. */
export interface ModuleDefinition<
  N extends string = string,
  C extends Commands = Commands,
  W extends Commands = Commands,
  O = unknown,
> extends ModuleSettings {
  /** `[A-Za-z0-9._-]{1,64}`, different from all other names of the broker. */
  readonly name: N;
  /** Processes that the module runs for itself. @default none */
  readonly workers?: WorkersDefinition<W, O>;
  /**
   * Checks the module's `options` in each of its processes before its commands are made, and types `ctx.options`. Any library that
   * follows Standard Schema has them. Without options it checks `undefined`. @default options of any kind, as they are
   */
  readonly optionsSchema?: StandardSchema<unknown, O>;
  /** What others can call; or a function of the module's context that returns it. @default none */
  readonly commands?: C | ((ctx: ModuleContext<string extends keyof W ? Record<never, never> : W, O>) => C);
  /**
   * Classes of errors that are answers: their callers get them as a `RemoteError` like any other, and the call counts as answered,
   * without lines at ERROR. @default none
   */
  readonly expected?: readonly ErrorClass[];
  /**
   * What this module made at import: disposed of in the processes of the others after {@linkcode afterForkCleanup}, and last first
   * when its own process ends. Each by the first it has of `Symbol.asyncDispose`, `Symbol.dispose`, `close()`, `destroy()`,
   * `end()`, `clear()`; a function is called. One that says it is `disposed`, `destroyed` or `closed` is left alone.
   */
  readonly owns?: readonly unknown[];
  /** Called in the processes of the other modules, before what is in `owns` is disposed. */
  afterForkCleanup?(): unknown;
  /** Called in the module's own process, after the cleanup and before the first command. */
  start?(ctx: ModuleContext<string extends keyof W ? Record<never, never> : W, O>): unknown;
  /** Called in the module's own process as the last thing before it ends. */
  stop?(ctx: ModuleContext<string extends keyof W ? Record<never, never> : W, O>): unknown;
}

/** Answers a program's request; what it throws is the answer's error, with its `code` and `data` where it has them. */
export type RequestHandler = {
  // As a method, so that a handler may say what it expects of `params`.
  handle(params: unknown, context: { readonly signal: AbortSignal }): unknown;
}["handle"];

/** Gets the parameters of a program's notification. */
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
  /** Never there at run time: holds the types of the commands. */
  readonly "~types"?: { readonly commands: C; readonly workers: W };
}

/** A module as the broker has it. */
export interface CheckedModule<C extends Commands = Commands> extends Module<string, C> {
  /** What it runs, where it is a program of another language. */
  readonly program?: ProgramPlan;
}

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

/** The commands of a module as functions that call them; without those that yield, which are streamed, and without `then` and `toJSON`. */
export type ModuleCommands<M> = {
  readonly [
    K in keyof CommandsOf<M> as CommandsOf<M>[K] extends (...params: never[]) => infer R
      ? [R] extends [never] ? K : Awaited<R> extends AsyncGenerator | Generator ? never : Exclude<K, "then" | "toJSON">
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

/** The part of Standard Schema, version 1, that a check needs. Valibot, Zod, ArkType and others implement it. */
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

/** What a check comes to: the value, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong, and where. */
export interface SchemaIssue {
  /** In the words of the library. */
  readonly message: string;
  /** From the value's outside to the place. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
