/**
 * The commands of a program: whatever it is called with becomes a request of its own, or a notification where the caller wants no
 * answer.
 */

import { progressTo, type RunningCall, type Service } from "../call/server.ts";
import type { CallContext, Handler } from "../module/definition.ts";
import type { ReceivedCall } from "../wire/columns.ts";
import { type Connection, ConnectionClosedError } from "./connection.ts";
import { JsonRpcError, type Params, toParams } from "./message.ts";
import type { ProtocolName } from "../settings/settings.ts";
import { isRecord } from "../checks.ts";

export class ProgramService implements Service {
  readonly #connection: Connection;
  readonly #protocol: ProtocolName;
  /** The answer to `initialize`, for callers that send it again: the program may receive it only once. */
  #greeting: { readonly answer: unknown } | undefined;
  #running = 0;
  #idle = new Set<() => void>();
  readonly commands = { get: (method: string): Handler => this.#handler(method), keys: () => [].values() };

  constructor(connection: Connection, protocol: ProtocolName) {
    this.#connection = connection;
    this.#protocol = protocol;
  }

  greeted(answer: unknown): void {
    this.#greeting = { answer };
  }

  async forward({ command, params, options }: ReceivedCall, context: RunningCall): Promise<unknown> {
    if (options?.notify !== true) return await Reflect.apply(this.#handler(command), context, params);
    this.#connection.notify({ method: command, params: this.#params(command, params) });
    return undefined;
  }

  /** Settles when no request runs that someone waits for. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  #handler(method: string): Handler {
    const greeting = method === "initialize" ? this.#greeting : undefined;
    if (greeting !== undefined) return () => greeting.answer;
    const request = this.#request.bind(this);
    return function (this: CallContext, ...params: unknown[]) {
      return request(method, params, this);
    };
  }

  async #request(method: string, params: readonly unknown[], context: CallContext): Promise<unknown> {
    const { signal } = context;
    const given = this.#params(method, params);
    let counts = true;
    const over = () => {
      if (counts) this.#over();
      counts = false;
    };
    this.#running++;
    signal.addEventListener("abort", over, { once: true });
    try {
      return await this.#connection.request(method, given, {
        signal,
        onProgress: progressTo(context),
      });
    } catch (error) {
      // The caller learns how the program ended from its exit.
      if (error instanceof ConnectionClosedError) return await new Promise<never>(() => {});
      throw error instanceof JsonRpcError ? new ProgramFailure(error) : error;
    } finally {
      signal.removeEventListener("abort", over);
      over();
    }
  }

  /** @throws {TypeError} for parameters by position, which these families do not have. */
  #params(method: string, params: readonly unknown[]): Params {
    const given = toParams(params);
    const example = BY_NAME.get(this.#protocol);
    if (example === undefined || !Array.isArray(given)) return given;
    throw new TypeError(
      `Cannot call "${method}": ${this.#protocol.toUpperCase()} takes its parameters by name and not by position, ` +
        `give one object such as ${method === "tools/call" ? TOOL : example}`,
    );
  }

  #over(): void {
    this.#running--;
    if (this.#running > 0) return;
    for (const wake of this.#idle) wake();
    this.#idle.clear();
  }
}

const TOOL = '{ "name": "echo", "arguments": { "message": "hi" } }';
/** Families whose parameters have names, and some of them. */
const BY_NAME: ReadonlyMap<ProtocolName, string> = new Map([
  ["mcp", '{ "uri": "file:///notes.txt" }'],
  ["lsp", '{ "textDocument": { "uri": "file:///main.ts" } }'],
]);

/**
 * A program's error answer as it goes to callers, who get a `RemoteError` whose `data` is `{ code, data }`. Where the program's own
 * data has a `name`, and a `stack` or `traceback`, they become `remoteName` and `remoteStack`.
 */
export class ProgramFailure extends Error {
  override readonly name: string;
  readonly data: { readonly code: number; readonly data?: unknown };

  constructor({ code, message, data, name }: JsonRpcError) {
    super(message);
    const fields = isRecord(data) ? data : {};
    this.name = text(fields["name"]) || name;
    this.stack = text(fields["stack"]) || text(fields["traceback"]);
    this.data = data === undefined ? { code } : { code, data };
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
