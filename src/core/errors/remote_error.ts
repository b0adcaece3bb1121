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
  /** Those that an `AggregateError` held, at most 100 with theirs; empty for any other. */
  readonly errors: readonly RemoteError[];

  /** Made by brokkr. */
  constructor(facts: RemoteFacts) {
    super(facts.message, facts.message === "" ? facts.remoteName : facts.message);
    this.remoteName = facts.remoteName;
    this.remoteStack = facts.remoteStack;
    this.data = facts.data;
    this.errors = (facts.errors ?? []).map(({ name, stack, ...more }) =>
      new RemoteError({ ...more, remoteName: name, remoteStack: stack })
    );
  }
}

interface RemoteFacts {
  readonly message: string;
  readonly remoteName: string;
  readonly remoteStack: string;
  readonly data?: unknown;
  readonly errors?: readonly InnerFacts[] | undefined;
}

interface InnerFacts {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly data?: unknown;
  readonly errors?: readonly InnerFacts[] | undefined;
}
