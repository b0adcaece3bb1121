/** What a peer asks of this side: each request is run once and answered once, alone or with its batch. */

import { attempt, defined } from "../checks.ts";
import { plainText } from "../wire/codec.ts";
import { errorFields, type Message, type MessageId, type Params, RpcCode } from "./message.ts";

/** Requests that run at the same time: as many as wait for a process at most. */
const MAX_RUNNING = 20_000;

type Request = Extract<Message, { kind: "request" }>;

/** Answers of a batch that go out together. */
interface Batch {
  readonly answers: object[];
  missing: number;
}

export interface PeerRequestsOptions {
  run(method: string, params: Params, signal: AbortSignal): unknown;
  send(message: object): void;
}

export class PeerRequests {
  readonly #options: PeerRequestsOptions;
  readonly #running = new Map<MessageId, AbortController>();
  #count = 0;
  #idle = new Set<() => void>();

  constructor(options: PeerRequestsOptions) {
    this.#options = options;
  }

  /** A batch that is being read; nothing of it goes out before {@link endBatch}. */
  batch(): Batch {
    return { answers: [], missing: 1 };
  }

  endBatch(batch: Batch): void {
    this.#done(batch);
  }

  take({ id, method, params }: Request, batch: Batch | undefined): void {
    if (batch !== undefined) batch.missing++;
    if (this.#count >= MAX_RUNNING) {
      const error = { code: RpcCode.server, message: `queue is full (${MAX_RUNNING})` };
      return this.#answer({ jsonrpc: "2.0", id, error }, batch);
    }
    const controller = new AbortController();
    this.#running.set(id, controller);
    this.#count++;
    void this.#run(method, params, controller.signal).then((outcome) => {
      if (this.#running.get(id) === controller) this.#running.delete(id);
      this.#answer({ jsonrpc: "2.0", id, ...outcome }, batch);
      this.#count--;
      if (this.#count > 0) return;
      for (const wake of this.#idle) wake();
      this.#idle.clear();
    });
  }

  refuse(why: "parse" | "invalid", batch: Batch | undefined): void {
    const error = why === "parse"
      ? { code: RpcCode.parse, message: "Parse error" }
      : { code: RpcCode.invalidRequest, message: "Invalid Request" };
    if (batch !== undefined) batch.missing++;
    this.#answer({ jsonrpc: "2.0", id: null, error }, batch);
  }

  cancel(id: MessageId): void {
    this.#running.get(id)?.abort(new Error("the caller cancelled the request"));
  }

  abort(): void {
    for (const controller of this.#running.values()) controller.abort(new Error("the caller is gone"));
  }

  async idle(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  async #run(method: string, params: Params, signal: AbortSignal): Promise<object> {
    try {
      const result = await this.#options.run(method, params, signal);
      return { result: written(result, "result") ?? null };
    } catch (error) {
      const { code, message, data } = errorFields(error);
      return { error: { code, message, ...writtenData(data) } };
    }
  }

  #answer(answer: object, batch: Batch | undefined): void {
    if (batch === undefined) return this.#options.send(answer);
    batch.answers.push(answer);
    this.#done(batch);
  }

  #done(batch: Batch): void {
    batch.missing--;
    if (batch.missing === 0 && batch.answers.length > 0) this.#options.send(batch.answers);
  }
}

/**
 * The value as JSON has it, where JSON loses nothing. Made once: a getter or a `toJSON` may throw the next time, when the answer is
 * sent and no error could be answered any more.
 */
export function written(value: unknown, name: string): unknown {
  const text = plainText(value, name);
  return text === undefined ? undefined : JSON.parse(text);
}

function writtenData(data: unknown): { data?: unknown } {
  return defined({ data: attempt(() => written(data, "data")) });
}

export function methodNotFound(method: string): Error & { code: number } {
  return Object.assign(new Error(`Method not found: ${method}`), { code: RpcCode.methodNotFound });
}
