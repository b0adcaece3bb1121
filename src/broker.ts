/**
 * The public broker: joins the core to the runtime it runs on.
 *
 * @module
 */

import { BrokerCore } from "./core/broker.ts";
import type { CallSettings } from "./core/context.ts";
import { attend } from "./core/control/attend.ts";
import type { EventId, LogRecord } from "./core/log/record.ts";
import type { CommandsOf, Module, ParamsOf, ResultOf } from "./core/module.ts";
import { type BrokerOptions, checkOptions } from "./core/options.ts";
import { readRole, ROLE_VARIABLE } from "./core/role.ts";
import type { BrokerStatus } from "./core/status.ts";
import { serveProcess } from "./core/supervise/serve_process.ts";
import { detectRuntime } from "./runtime/detect.ts";

/** `brokkr run` sets it, so that the defaults of a program it runs are known to any copy of the library. */
const UNDER_RUN = Symbol.for("brokkr.run");

/**
 * A running broker: the father of its modules' processes.
 *
 * @example
 * ```ts
 * import { Broker, defineModule } from "brokkr";
 *
 * const hello = defineModule({ name: "hello", commands: { greet: (name: string) => `Hello ${name}` } });
 *
 * const broker = await Broker.start({ name: "broker-master", modules: [hello] });
 * console.log(await broker.call(hello, "greet", ["world"]));
 * await broker.stop();
 * ```
 */
export class Broker implements AsyncDisposable {
  readonly #core: BrokerCore;

  private constructor(core: BrokerCore) {
    this.#core = core;
  }

  /**
   * Starts a broker with a process for each module; resolves when each module is ready or has failed its first start.
   *
   * It returns only in the broker: in a process that brokkr created from the same program it cleans, serves commands until it is
   * told to stop, and ends the process.
   *
   * @throws {TypeError} on wrong options; the message names the option.
   * @throws {Error} with `control`, when a live broker has the name.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const plan = checkOptions(options);
    const runtime = await detectRuntime();
    const { role, depth } = readRole(runtime.env.get(ROLE_VARIABLE));
    if (role !== null) {
      // A process belongs to one broker; for another one's start there is nothing to do in it.
      if (role.broker !== plan.name) return await new Promise<never>(() => {});
      const modules = plan.modules.map(({ module }) => module);
      return await serveProcess({ ...plan, runtime, role, load: () => Promise.resolve(modules) });
    }
    const core = new BrokerCore(plan, { runtime, depth, image: null });
    const underRun = Reflect.has(globalThis, UNDER_RUN);
    const { control = underRun, signals = underRun } = plan;
    await attend(core, { runtime, control, signals });
    try {
      await core.start();
    } catch (error) {
      await core.stop().catch(() => {});
      throw error;
    }
    return new Broker(core);
  }

  get name(): string {
    return this.#core.name;
  }

  /**
   * Calls a command of a module.
   *
   * @param target the module, for typed parameters and result, or its name.
   * @param params the command's parameters. @default []
   * @throws {BrokerError} one of its classes; `code` tells which.
   */
  call<M extends Module, K extends keyof CommandsOf<M> & string>(
    target: M,
    command: K,
    params?: ParamsOf<CommandsOf<M>[K]>,
    settings?: CallSettings,
  ): Promise<ResultOf<CommandsOf<M>[K]>>;
  call(target: string, command: string, params?: readonly unknown[], settings?: CallSettings): Promise<unknown>;
  async call(
    target: Module | string,
    command: string,
    params?: readonly unknown[],
    settings?: CallSettings,
  ): Promise<unknown> {
    return await this.#core.call(typeof target === "string" ? target : target.name, command, params, settings);
  }

  /** Drains every module and ends the broker. */
  async stop(): Promise<void> {
    await this.#core.stop();
  }

  /** Starts a module or a worker (`M-1`) again, or every module one after the other. @throws {UnknownModuleError} */
  async restart(name?: string): Promise<void> {
    await this.#core.restart(name);
  }

  /** Starts every module again, one after the other. */
  async reload(): Promise<void> {
    await this.#core.restart();
  }

  /** What runs and how it is. */
  async status(): Promise<BrokerStatus> {
    return await this.#core.status();
  }

  /** Calls `listener` at each `event`, or at every event for `*`. Returns the function that ends it. */
  on(event: EventId | "*", listener: (record: LogRecord) => void): () => void {
    return this.#core.on(event, listener);
  }

  /** Every event from now on; up to 10,000 wait for a slow reader. */
  events(): AsyncIterableIterator<LogRecord> {
    return this.#core.events();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
