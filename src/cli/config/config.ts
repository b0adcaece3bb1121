import type { LogLevel } from "../../core/log/record.ts";
import type { Place } from "./config_error.ts";
import type { ModuleSettings } from "../../core/module/module.ts";
import type { ProgramDefinition } from "../../core/program/define_program.ts";

/** A checked configuration. */
export interface Config {
  /** Folder of the file: what its paths are relative to. */
  readonly folder: string;
  readonly name: string;
  readonly call: { readonly timeoutMs?: number | undefined; readonly retry?: "once" | "never" | undefined };
  readonly image: "own" | "all";
  /** In the order of the file. */
  readonly modules: readonly (ConfigModule | ConfigProgram)[];
  readonly log: ConfigLog;
  readonly product: string | undefined;
  readonly startConcurrency: number | undefined;
  readonly sweep: boolean | undefined;
}

export interface ConfigModule {
  readonly name: string;
  /** URL of the module's file. */
  readonly url: string;
  /** Where the file is named. */
  readonly place: Place;
  /** Null where the module's own file says it. */
  readonly workers: number | null;
  readonly settings: ModuleSettings;
}

/** A program of another language. */
export interface ConfigProgram {
  readonly name: string;
  readonly program: ProgramDefinition;
  /** Where its command is named. */
  readonly place: Place;
  readonly settings: ModuleSettings;
}

export interface ConfigLog {
  readonly level?: LogLevel | undefined;
  /** Absolute; standard error where it is left out. */
  readonly file?: string | undefined;
  readonly maxBytes?: number | undefined;
  readonly keep?: number | undefined;
  readonly aligned?: boolean | undefined;
}
