import { BrokerError, type Callee, cannotCall } from "./broker_error.ts";

/**
 * The broker has no module of that name. Known before anything is sent.
 *
 * @example
 * ```ts
 * import { UnknownModuleError } from "brokkr";
 *
 * export function hint(error: unknown): string | null {
 *   return error instanceof UnknownModuleError ? error.nearest : null;
 * }
 * ```
 */
export class UnknownModuleError extends BrokerError {
  /** Name of the class. */
  override readonly name = "UnknownModuleError";
  /** Stable, for programs. */
  override readonly code = "UNKNOWN_MODULE";
  /** The name that was called. */
  readonly target: string;
  /** The module with the most similar name, if any is similar. */
  readonly nearest: string | null;

  /** Made by brokkr. */
  constructor(callee: Callee, facts: { nearest: string | null }) {
    const hint = facts.nearest === null ? "" : `, did you mean "${facts.nearest}"`;
    super(`${cannotCall(callee)}: unknown module${hint}`, "unknown module");
    this.target = callee.target;
    this.nearest = facts.nearest;
  }
}
