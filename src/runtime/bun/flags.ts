import { attempt } from "../posix/proc.ts";
import type { BunNamespace } from "./namespace.ts";
import { childEnvironment as nodeEnvironment } from "../builtins/flags.ts";
import { type FlagRules, fromOrigin, joinOptions, ORIGIN, passedOn, splitOptions } from "../posix/program.ts";

declare const Bun: BunNamespace;

/** The working directory and the environment come from the parent process as they are. */
const DROPPED = /^(--(inspect|watch|hot|(no-)?env-file|eval|print|cwd|check)(-[a-z-]+)?|-[ep]|-)$/;
/** Variables that do what --inspect does. */
const DEBUGGER = /^BUN_INSPECT/;
const PATHS = new Set(["--config", "-c", "--tsconfig-override", "--cpu-prof-dir", "--heap-prof-dir"]);
const IMPORTED = new Set(["--preload", "-r", "--require", "--import"]);

const RULES: FlagRules = {
  isDropped: (name) => DROPPED.test(name),
  absolute(name, value) {
    if (PATHS.has(name)) return fromOrigin(value);
    return IMPORTED.has(name) ? preloaded(value) : value;
  },
};

/** The parent process' flags for a new process of the same program. Those of BUN_OPTIONS are among `execArgv`, and stay in the variable. */
export function childFlags(execArgv: readonly string[], options: string | undefined): string[] {
  const given = splitOptions(options ?? "");
  const isDoubled = given.every((element, i) => execArgv[i] === element);
  return passedOn(isDoubled ? execArgv.slice(given.length) : execArgv, RULES);
}

export function childEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const passed = nodeEnvironment(Object.fromEntries(Object.entries(env).filter(([name]) => !DEBUGGER.test(name))));
  const options = env["BUN_OPTIONS"];
  if (options !== undefined) passed["BUN_OPTIONS"] = joinOptions(passedOn(splitOptions(options), RULES));
  return passed;
}

/** Bun looks from the working directory for a file, and then for a package. */
function preloaded(specifier: string): string {
  const origin = ORIGIN;
  if (origin === null) return specifier;
  return attempt(() => Bun.resolveSync(specifier, origin)) ??
    (specifier.startsWith(".") ? fromOrigin(specifier) : specifier);
}
