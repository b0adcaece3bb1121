import type { Runtime } from "../../runtime/runtime.ts";
import type { GivenSettings } from "../child/role.ts";

/** What the broker needs beside its plan. */
export interface BrokerSeat {
  readonly runtime: Runtime;
  /** How deep this process is in brokers. */
  readonly depth: number;
  /** Module files that a new process loads by itself, where the program declares none. */
  readonly load: ((module: string) => readonly (readonly [name: string, path: string])[]) | null;
  /** The folder of the configuration, where there is one. @default the program's */
  readonly folder?: string;
  /** What a configuration says of a module whose file this process has not loaded. @default nothing */
  readonly given?: (module: string) => GivenSettings;
  /** A text that changes with what a configuration says of a module. @default always the same */
  readonly signature?: (module: string) => string;
}
