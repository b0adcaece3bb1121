import type { Clock, PrivateFiles, Runtime } from "./runtime.ts";

/**
 * The few parts of a runtime that a command needs which only asks a running broker. A file beside each runtime's own implements it, which
 * loads nothing else: all of a runtime takes longer to load than the question to be answered.
 */
export interface Asking extends Pick<Runtime, "name" | "version" | "pid" | "connect" | "onSignal"> {
  readonly clock: Pick<Clock, "timer">;
  readonly files: PrivateFiles;
  /** The value of a variable of the environment. */
  variable(name: string): string | undefined;
  /** The terminal that one of its outputs is, null where it is none. */
  terminal(output: "stdout" | "stderr"): { readonly columns: number | undefined } | null;
  /** Writes a few bytes: all, or none where it throws. */
  write(bytes: Uint8Array, output: "stdout" | "stderr"): void;
  exit(code: number): never;
}
