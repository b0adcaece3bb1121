/**
 * Paths of module files: what a configuration names is code that runs, so it stays within the configuration's folder or is that of a
 * package that is installed for it, and this runtime must be able to load it.
 */

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { attempt, isRecord } from "../../core/checks.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { CliError } from "../exit_codes.ts";
import { isFile, statsOf, upwards } from "../files.ts";

export interface ModulePath {
  readonly url: string;
  /** What is wrong with the path, as the end of a sentence that begins with it; else null. */
  readonly wrong: string | null;
}

export function modulePath(path: string, { folder, runtime }: { folder: string; runtime: Runtime }): ModulePath {
  const resolved = resolve(folder, path);
  const installed = isBare(path) && !isFile(resolved) ? packageFile(path, { folder, runtime }) : null;
  const file = installed ?? resolved;
  const wrong = whatIsWrong(path, { folder, file, isInstalled: installed !== null, runtime });
  // A package of a workspace is linked into node_modules, where Node strips no types.
  const isLinked = wrong === null && file.split(sep).includes("node_modules");
  return { url: pathToFileURL(isLinked ? realpathSync(file) : file).href, wrong };
}

interface Found {
  readonly folder: string;
  readonly file: string;
  /** Whether it is the file of a package. */
  readonly isInstalled: boolean;
  readonly runtime: Runtime;
}

function whatIsWrong(path: string, { folder, file, isInstalled, runtime }: Found): string | null {
  const shown = JSON.stringify(path);
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) return `must be a path and not a URL, and it is ${shown}`;
  if (!isInstalled && !isWithin(folder, file)) return outside(shown, file);
  const stats = statsOf(file);
  if (stats === undefined) return missing(path, file);
  if (!stats.isFile()) return `${shown} must be a file, and it is a folder ("${file}")`;
  const real = realpathSync(file);
  const isPackage = isInstalled || relative(folder, file).split(sep).includes("node_modules");
  if (!isPackage && !isWithin(realpathSync(folder), real)) return outside(shown, real);
  const remedy = typescriptRemedy(runtime, path);
  return remedy === null ? null : `${shown}: ${remedy}`;
}

function missing(path: string, file: string): string {
  const shown = JSON.stringify(path);
  if (!isBare(path) || /\.[cm]?[jt]s$/.test(path)) {
    return `${shown} does not exist ("${file}"), correct it or write the file`;
  }
  return `${shown} is neither a file ("${file}") nor exported by a package in node_modules, correct it or install the package`;
}

function isBare(path: string): boolean {
  return !/^(?:\.{0,2}\/|\.{1,2}$|$)/.test(path);
}

/** The file that `import(path)` in `folder` leads to, where a package is installed there or above it and exports one. */
function packageFile(path: string, { folder, runtime }: { folder: string; runtime: Runtime }): string | null {
  const [, name = "", inside = ""] = /^((?:@[^/]+\/)?[^/@][^/]*)(\/.+)?$/.exec(path) ?? [];
  if (name === "" || inside.split("/").includes("..")) return null;
  const root = upwards(folder).map((at) => join(at, "node_modules", name)).find(existsSync);
  return root === undefined ? null : entryOf(root, `.${inside}`, [runtime.name, "node", "import", "default"]);
}

function entryOf(root: string, entry: string, conditions: readonly string[]): string | null {
  const { exports, main }: { exports?: unknown; main?: unknown } = packageOf(root);
  if (exports === undefined) {
    if (entry !== ".") return join(root, entry);
    const named = join(root, typeof main === "string" ? main : "index.js");
    return [named, `${named}.js`, join(named, "index.js")].find(isFile) ?? named;
  }
  const target = targetOf(exportedAs(exports, entry), conditions);
  return target === null ? null : join(root, target);
}

/** A folder without one has its files. */
function packageOf(root: string): object {
  const value: unknown = attempt(() => JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  return isRecord(value) ? value : {};
}

/** What a package exports under `entry`: https://nodejs.org/api/packages.html#exports */
function exportedAs(exports: unknown, entry: string): unknown {
  const isByEntry = isRecord(exports) && Object.keys(exports).every((key) => key.startsWith("."));
  if (!isByEntry) return entry === "." ? exports : undefined;
  if (Object.hasOwn(exports, entry)) return exports[entry];
  // The pattern with the longest beginning is meant.
  const bySpecificity = Object.entries(exports).sort(([one], [other]) => other.indexOf("*") - one.indexOf("*"));
  for (const [pattern, target] of bySpecificity) {
    const [before = "", after] = pattern.split("*");
    const fits = after !== undefined && entry.startsWith(before) && entry.endsWith(after);
    if (fits && entry.length > before.length + after.length) {
      const part = entry.slice(before.length, entry.length - after.length);
      return JSON.parse(JSON.stringify(target).replaceAll("*", () => JSON.stringify(part).slice(1, -1)));
    }
  }
  return undefined;
}

function targetOf(exported: unknown, conditions: readonly string[]): string | null {
  if (typeof exported === "string") return exported;
  if (Array.isArray(exported)) {
    return exported.map((one) => targetOf(one, conditions)).find((one) => one !== null) ?? null;
  }
  if (!isRecord(exported)) return null;
  for (const [condition, target] of Object.entries(exported)) {
    const found = conditions.includes(condition) ? targetOf(target, conditions) : null;
    if (found !== null) return found;
  }
  return null;
}

function outside(shown: string, resolved: string): string {
  return `must be in the configuration's folder, and it is ${shown} ("${resolved}")`;
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep);
}

/** @throws {CliError} where this runtime can't load the file at `path`, which must be `what`. */
export function requireCode(runtime: Runtime, path: string, { action, what }: { action: string; what: string }): void {
  const notThere = existsSync(path)
    ? `it must be ${what}, and it is not a file`
    : "it does not exist, correct its path";
  const wrong = isFile(path) ? typescriptRemedy(runtime, path) : notThere;
  if (wrong !== null) throw new CliError(`Cannot ${action} "${path}": ${wrong}`);
}

/** What to do if this runtime can't load the TypeScript file at `path`, else null. */
export function typescriptRemedy(runtime: Runtime, path: string): string | null {
  if (runtime.name !== "node" || !/\.[cm]?ts$/.test(path)) return null;
  // Node 22.18 and later strip types.
  if (Reflect.get(process.features, "typescript")) return null;
  const flags = [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].join(" ");
  // A new process gets these flags as well.
  if (TSX.test(flags)) return null;
  const cannot = `Node ${runtime.version} cannot load TypeScript`;
  if (TS_NODE.test(flags)) {
    return `${cannot}, and ts-node not in every process: use tsx, with NODE_OPTIONS="--import tsx"`;
  }
  return `${cannot}, compile it to JavaScript or run brokkr with tsx (NODE_OPTIONS="--import tsx"), Deno or Bun`;
}

/** Loaders, as flags name them: by the package, or by its file as the package's own command does. */
const TSX = /(?:[\s="/]|^)tsx(?:[\s"/@]|$)/;
const TS_NODE = /(?:[\s="/]|^)ts-node(?:[\s"/@]|$)/;
