import { BrokerError, type Callee, cannotCall } from "./broker_error.ts";

/**
 * The callee has no such command.
 *
 * @example
 * ```ts
 * import { UnknownCommandError } from "brokkr";
 *
 * export function hint(error: unknown): string | null {
 *   return error instanceof UnknownCommandError ? error.nearest : null;
 * }
 * ```
 */
export class UnknownCommandError extends BrokerError {
  /** Name of the class. */
  override readonly name = "UnknownCommandError";
  /** Stable, for programs. */
  override readonly code = "UNKNOWN_COMMAND";
  /** The name that was called. */
  readonly command: string;
  /** The callee's command with the most similar name, if any is similar. */
  readonly nearest: string | null;

  /** Made by brokkr. */
  constructor(callee: Callee, facts: { nearest: string | null }) {
    const hint = facts.nearest === null ? "" : `, did you mean "${facts.nearest}"`;
    super(`${cannotCall(callee)}: unknown command${hint}`, "unknown command");
    this.command = callee.command;
    this.nearest = facts.nearest;
  }
}
