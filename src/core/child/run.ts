import type { CallClient } from "../call/client.ts";
import type { Link } from "../wire/link.ts";
import type { ControlFromParent, EndSignal } from "../wire/messages.ts";
import type { ProcessRunEvents, ProcessRunOptions } from "./process_run_options.ts";

/** One life of a process, whatever it speaks. */
export interface Run {
  /** Null before it is spawned. */
  readonly pid: number | null;
  /** What its calls go over, when it is ready. */
  readonly link: Link | undefined;
  /** When something last came from the process, on the clock. */
  readonly heardAt: number;
  /** @throws when no process could be created. */
  spawn(): Promise<number>;
  /** Ends the process and everything it started; `why` explains it where brokkr does it on its own account. */
  kill(signal: string, why?: string | null): void;
  /** Asks the process to finish its calls and to end, by `signal` where there is one, and makes it when it does not. */
  drain(signal?: EndSignal): void;
  /** Asks for a sign of life, which is the event `alive`; null where there is no way to ask. */
  readonly ask: (() => void) | null;
  notify(notice: ControlFromParent): void;
}

/** Makes a run, which begins with its `spawn`. */
export type NewRun = (life: {
  /** Calls to the process. */
  readonly caller: CallClient;
  readonly deadlines: ProcessRunOptions["deadlines"];
  readonly events: ProcessRunEvents;
}) => Run;
