import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type FlagRules, fromOrigin, joinOptions, ORIGIN, passedOn, splitOptions } from "../posix/program.ts";
import { process } from "./process.ts";

/** The environment comes from the parent process as it is: a file would bring back what was taken out. */
const DROPPED =
  /^(--(inspect|watch|test|experimental-test|debug-port|env-file|eval|print|check|interactive|input-type)(-[a-z-]+)?|-[epci]|-pe)$/;

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

const PATH_VARIABLES = ["NODE_COMPILE_CACHE", "NODE_EXTRA_CA_CERTS", "NODE_REDIRECT_WARNINGS", "NODE_V8_COVERAGE"];

const RULES: FlagRules = {
  isDropped: (name) => DROPPED.test(name),
  absolute(name, value) {
    if (PATHS.has(name)) return value === "*" ? value : fromOrigin(value);
    if (IMPORTED.has(name)) return resolveSpecifier(value, "import");
    return REQUIRED.has(name) ? resolveSpecifier(value, "require") : value;
  },
};

/** The parent process' flags for a new process of the same program. */
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

/**
 * What a flag names to be imported or required before the program, as a path or URL: the runtime looks for it from the working
 * directory, and a new process may have another one. What can't be found stays as it is, for the new process to say so.
 */
export function resolveSpecifier(specifier: string, how: "import" | "require", origin = ORIGIN): string {
  if (origin === null || specifier.startsWith("/") || /^[a-z][a-z0-9+.-]*:/i.test(specifier)) return specifier;
  const from = join(origin, "[flag]");
  if (how === "import") {
    if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, pathToFileURL(from)).href;
    const file = packageFile(specifier, origin);
    if (file !== null) return pathToFileURL(file).href;
  }
  try {
    // Not imported: webpack would look for what is required.
    const path = process.getBuiltinModule("node:module").createRequire(from).resolve(specifier);
    return how === "import" && path.startsWith("/") ? pathToFileURL(path).href : path;
  } catch {
    return specifier.startsWith(".") ? fromOrigin(specifier, origin) : specifier;
  }
}

/** The file of a package that says by "exports" what is imported of it; null where it says nothing. */
function packageFile(specifier: string, origin: string): string | null {
  const [, name, rest = ""] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
  if (name === undefined) return null;
  for (let at = origin;; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { exports }: { exports?: unknown } = JSON.parse(readFileSync(manifest, "utf8"));
      const file = target(exports, `.${rest}`);
      return file === null ? null : join(folder, file);
    }
    if (dirname(at) === at) return null;
  }
}

const CONDITIONS = new Set(["node", "import", "module-sync", "node-addons", "default"]);

function target(exports: unknown, subpath: string): string | null {
  if (typeof exports !== "object" || exports === null || Array.isArray(exports)) {
    return subpath === "." ? chosen(exports) : null;
  }
  const entries = Object.entries(exports);
  if (!entries.some(([key]) => key.startsWith("."))) return subpath === "." ? chosen(exports) : null;
  const exact = entries.find(([key]) => key === subpath);
  if (exact !== undefined) return chosen(exact[1]);
  for (const [key, value] of entries) {
    const [start = "", end] = key.split("*");
    if (end === undefined || !subpath.startsWith(start) || !subpath.endsWith(end)) continue;
    return chosen(value)?.replaceAll("*", subpath.slice(start.length, subpath.length - end.length)) ?? null;
  }
  return null;
}

/** The first file whose conditions hold for an import in Node. */
function chosen(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    // An array is a list of which the first that can be used counts.
    const file = Array.isArray(value) || CONDITIONS.has(key) ? chosen(inner) : null;
    if (file !== null) return file;
  }
  return null;
}
