/**
 * Signals that someone sends to a broker and to all of its processes at once: a supervisor that ends a whole tree, or a control group.
 *
 * @module
 */

import type { EndSignal } from "../wire/notice.ts";
import type { ProcessEnd } from "./process_run_options.ts";

/** From the signal of one process to that of its broker, which is sent by the same hand. */
export const TREE_SIGNAL_MS = 250;

export const END_SIGNALS: readonly EndSignal[] = ["SIGINT", "SIGTERM"];

/** The exit code that stands for an end by a signal. */
export const EXIT_CODES: Readonly<Record<EndSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

const SIGNALS: readonly (string | null)[] = [...END_SIGNALS, "SIGHUP"];
const CODES: readonly (number | null)[] = [...Object.values(EXIT_CODES), 129];

/** Whether a process ended because someone else than brokkr asked it to, by a signal. */
export function isByTermination({ code, signal, why }: ProcessEnd): boolean {
  return why === null && (SIGNALS.includes(signal) || CODES.includes(code));
}
