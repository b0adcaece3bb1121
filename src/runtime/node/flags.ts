import { resolveSpecifier } from "./specifier.ts";
import { fromOrigin } from "../posix/origin.ts";
import { type FlagRules, joinOptions, passedOn, splitOptions } from "../posix/passed_flags.ts";

/** The environment comes from the father as it is: a file would bring back what he took out. */
const DROPPED =
  /^(--(inspect|watch|test|experimental-test|debug-port|env-file|eval|print|check|interactive|input-type)(-[a-z-]+)?|-[epci]|-pe)$/;

/** Flags whose value is a path. */
const PATHS = new Set([
  "--allow-fs-read",
  "--allow-fs-write",
  "--cpu-prof-dir",
  "--diagnostic-dir",
  "--experimental-config-file",
  "--heap-prof-dir",
  "--icu-data-dir",
  "--localstorage-file",
  "--openssl-config",
  "--redirect-warnings",
  "--report-dir",
  "--report-directory",
  "--snapshot-blob",
  "--tls-keylog",
  "--trace-event-file-pattern",
]);

/** Flags whose value is what `import` or `require` takes. */
const IMPORTED = new Set(["--import", "--loader", "--experimental-loader"]);
const REQUIRED = new Set(["--require", "-r"]);

/** Variables of the environment whose value is a path. */
const PATH_VARIABLES = ["NODE_COMPILE_CACHE", "NODE_EXTRA_CA_CERTS", "NODE_REDIRECT_WARNINGS", "NODE_V8_COVERAGE"];

const RULES: FlagRules = {
  isDropped: (name) => DROPPED.test(name),
  absolute(name, value) {
    if (PATHS.has(name)) return value === "*" ? value : fromOrigin(value);
    if (IMPORTED.has(name)) return resolveSpecifier(value, "import");
    return REQUIRED.has(name) ? resolveSpecifier(value, "require") : value;
  },
};

/** The father's flags for a new process of the same program. */
export function childFlags(execArgv: readonly string[]): string[] {
  return passedOn(execArgv, RULES);
}

/** `env` with the same done to NODE_OPTIONS, whose values may be quoted. */
export function childEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const passed = { ...env };
  const options = env["NODE_OPTIONS"];
  if (options !== undefined) passed["NODE_OPTIONS"] = joinOptions(childFlags(splitOptions(options)));
  const folders = env["NODE_PATH"];
  if (folders) passed["NODE_PATH"] = folders.split(":").map((path) => path && fromOrigin(path)).join(":");
  for (const name of PATH_VARIABLES) {
    const path = env[name];
    if (path) passed[name] = fromOrigin(path);
  }
  return passed;
}
