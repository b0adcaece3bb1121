import type { Framing } from "./framing.ts";
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
  /** The executable and its arguments. */
  readonly command: readonly string[];
  /** What it speaks. */
  readonly protocol: ProtocolName;
  /** How its messages are told apart. */
  readonly framing: Framing;
  /** What the user wants in the parameters of `initialize`. */
  readonly initialize: Readonly<Record<string, unknown>>;
  /** Handlers of its requests, by method. */
  readonly requests: ReadonlyMap<string, RequestHandler>;
  /** Handlers of its notifications, by method. */
  readonly notifications: ReadonlyMap<string, NotificationHandler>;
}
