import type { Runtime } from "../../runtime/runtime.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Descendants, OutputLimits } from "../module/settings.ts";
import type { NewRun } from "../child/run.ts";
import type { ProgramPlan } from "../module/module.ts";

/** What all lives of a program have in common. */
export interface ProgramSeat {
  readonly runtime: Runtime;
  readonly plan: ProgramPlan;
  /** Name of the module. */
  readonly module: string;
  /** Where it starts, asked for at each start. */
  readonly cwd: (() => string) | undefined;
  readonly env: (channelAddress: string) => Readonly<Record<string, string>>;
  readonly descendants: Descendants;
  readonly output: OutputLimits;
  readonly reporter: Reporter;
}

export type ProgramRunOptions = ProgramSeat & Parameters<NewRun>[0];
