import { BrokerError } from "./broker_error.ts";

/**
 * The command's handler threw. `message` is that of what it threw; `stack` is the caller's.
 *
 * @example An error of the module's own, told from the others
 * ```ts
 * import { RemoteError } from "brokkr";
 *
 * export function isDatabaseError(error: unknown): boolean {
 *   return error instanceof RemoteError && error.remoteName === "DatabaseError";
 * }
 * ```
 */
export class RemoteError extends BrokerError {
  /** Name of the class. */
  override readonly name = "RemoteError";
  /** Stable, for programs. */
  override readonly code = "REMOTE";
  /** Class of the thrown error, `Error` for what is not one. */
  readonly remoteName: string;
  /** Stack in the callee's process, or an empty text. */
  readonly remoteStack: string;
  /** What the error carried in a `data` property, where it could be sent. */
  readonly data: unknown;

  /** Made by brokkr. */
  constructor(facts: { message: string; remoteName: string; remoteStack: string; data?: unknown }) {
    super(facts.message, facts.message === "" ? facts.remoteName : facts.message);
    this.remoteName = facts.remoteName;
    this.remoteStack = facts.remoteStack;
    this.data = facts.data;
  }
}
