/** Requests and notifications that a program sends of its own accord: handled by the user's functions, and reported as events. */

import { describeThrown } from "../log/stack.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Notification } from "./connection.ts";
import type { Protocol } from "./protocols.ts";
import type { Params } from "./message.ts";
import { methodNotFound, written } from "./peer_requests.ts";
import { headline } from "../user_code.ts";
import type { ProgramPlan } from "../module/definition.ts";

export interface ProgramHandlersOptions {
  readonly plan: ProgramPlan;
  readonly protocol: Protocol;
  readonly reporter: Reporter;
  readonly module: string;
}

export class ProgramHandlers {
  readonly #options: ProgramHandlersOptions;

  constructor(options: ProgramHandlersOptions) {
    this.#options = options;
  }

  /** @throws whatever the handler throws, which is the answer's error. */
  async asked(method: string, params: Params, signal: AbortSignal): Promise<unknown> {
    const { plan, protocol } = this.#options;
    const handler = plan.requests.get(method);
    if (handler === undefined) {
      const answer = protocol.requests.get(method);
      if (answer === undefined) throw methodNotFound(method);
      return answer();
    }
    try {
      // What can't be answered is logged here too, and not only sent to the program.
      return written(await handler(params, { signal }), "result");
    } catch (error) {
      this.#failed(`request "${method}"`, error);
      throw error;
    }
  }

  notified({ method, params }: Notification): void {
    const { plan, reporter, module } = this.#options;
    const handler = plan.notifications.get(method);
    if (handler !== undefined) void this.#handle(() => handler(params), method);
    if (!reporter.wants("program.notification")) return;
    reporter.report("program.notification", { process: module, method, params: params ?? null }, { module });
  }

  async #handle(handler: () => unknown, method: string): Promise<void> {
    try {
      await handler();
    } catch (error) {
      this.#failed(`notification "${method}"`, error);
    }
  }

  #failed(what: string, error: unknown): void {
    const { reporter, module } = this.#options;
    const text = `the handler of ${what} failed: ${headline(describeThrown(error))}`;
    reporter.report("module.error", { text }, { module });
  }
}
