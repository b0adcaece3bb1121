import type { Framing } from "./framing.ts";
import type { Params } from "./message.ts";
import type { ProtocolName } from "./protocol.ts";

/** Answers a program's request; what it throws is the answer's error, with its `code` and `data` where it has them. */
export type RequestHandler = {
  // As a method, so that a handler may say what it expects of `params`.
  handle(params: unknown, context: { readonly signal: AbortSignal }): unknown;
}["handle"];

/** Gets the parameters of a program's notification. */
export type NotificationHandler = { handle(params: unknown): unknown }["handle"];

/** A checked program. */
export interface ProgramPlan {
  readonly command: readonly string[];
  readonly protocol: ProtocolName;
  readonly framing: Framing;
  readonly initialize: Readonly<Record<string, unknown>>;
  readonly requests: ReadonlyMap<string, (params: Params, context: { readonly signal: AbortSignal }) => unknown>;
  readonly notifications: ReadonlyMap<string, (params: Params) => unknown>;
}
