/**
 * Standard output of this process, kept for results: what other code prints goes to standard error.
 *
 * @module
 */

import { Console } from "node:console";
import process from "node:process";

export interface DivertedOutput {
  /** Writes to standard output. */
  readonly write: typeof process.stdout.write;
  /** Gives standard output back to everyone. */
  restore(): void;
}

export function divertOutput(): DivertedOutput {
  const { console } = globalThis;
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  globalThis.console = new Console(process.stderr, process.stderr);
  return {
    write,
    restore() {
      process.stdout.write = write;
      globalThis.console = console;
    },
  };
}
