/** The command line and the environment of a new process of the same program. */

import { attempt } from "../posix/proc.ts";
import { type FlagRules, fromOrigin, joinOptions, ORIGIN, passedOn, splitOptions } from "../posix/program.ts";
import type { Sandbox, SpawnProgramOptions } from "../runtime.ts";
import { type DenoNamespace, type DenoPermission, executable, ifReadable, isGranted } from "./namespace.ts";
import { missingRight, sandboxedFlags, sandboxedFolder } from "./sandbox.ts";

declare const Deno: DenoNamespace;

const PERMISSIONS: readonly DenoPermission[] = ["read", "write", "net", "env", "run", "sys", "ffi", "import"];

/** What to run, and its arguments, for a process of the same program (or of `given`) that connects to the socket at `path`. */
export function programArguments(
  { program: given, cwd, sandbox, flags: more = [], collects = true }: Pick<
    SpawnProgramOptions,
    "program" | "cwd" | "sandbox" | "flags" | "collects"
  >,
  path: string,
): { program: string; args: string[] } {
  if (Deno.build.standalone) return { program: executable(), args: Deno.args };
  const program = given === undefined ? Deno.mainModule : absolute(given);
  if (program === undefined) {
    throw new Error('Cannot start a process of this program: this is a worker, set "program" to a file');
  }
  const parent = { commandLine: commandLine(), programArgs: Deno.args.length, permissions: permissions() };
  const all = childFlags({ ...parent, collects, more });
  const flags = sandbox === undefined ? importingLate(all) : sandboxed(all, sandbox, cwd);
  return { program, args: ["run", ...allowSocket(flags, path), program, ...Deno.args] };
}

/** @throws {Error} whose `lasting` is true where this process has not itself what is asked for. */
function sandboxed(flags: readonly string[], sandbox: Sandbox, cwd: string | undefined): string[] {
  const missing = missingRight(sandbox.rights, cwd ?? ORIGIN ?? ".");
  if (missing === null) return sandboxedFlags(flags, sandbox);
  const why = `its permissions name one that the broker lacks, start the broker with ${missing} or remove it`;
  throw Object.assign(new Error(`Cannot create the process: ${why}`), { lasting: true });
}

export function programEnvironment(
  given: Readonly<Record<string, string>>,
  { sandbox }: Pick<SpawnProgramOptions, "sandbox">,
): Readonly<Record<string, string>> {
  const own = childEnvironment(given);
  return sandbox === undefined ? own : { ...own, DENO_DIR: sandboxedFolder(own) };
}

/** The new process may have another working directory. */
function absolute(program: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(program) ? program : fromOrigin(program);
}

function commandLine(): string[] | null {
  return attempt(() => ifReadable("/proc/self/cmdline", Deno.readTextFileSync).split("\0").slice(0, -1)) ?? null;
}

function permissions(): string[] {
  const granted = PERMISSIONS.filter((name) => isGranted({ name }));
  return granted.length === PERMISSIONS.length ? ["-A"] : granted.map((name) => `--allow-${name}`);
}

/** What a process of the same program must not repeat: it would listen, wait or write where its parent process does. */
const DROPPED =
  /^(--(inspect|watch|hmr|check|no-check|reload|coverage|env-file|env|no-clear-screen|v8-flags)(-[a-z-]+)?|-r)$/;
/** Flags that say nothing about the subcommand, to keep where the parent process was not started by `deno run`. */
const KEPT =
  /^(-A|-[RWNESIP]+|--(allow|deny|ignore|unstable|no-remote|no-lock|no-config|no-npm|no-prompt|cached-only|config|import-map|lock|cert|location|seed|node-modules-dir|vendor|permission-set|conditions|preload|import|require|quiet)(-[a-z-]+)?)$/;
/** Their value may stand in the next argument: what follows the others of another subcommand may be its files. */
const VALUE_APART = new Set([
  "-c",
  "--config",
  "--import-map",
  "--cert",
  "--location",
  "--seed",
  "--lock",
  "--preload",
  "--import",
  "--require",
  "--conditions",
]);
const PATHS = new Set([
  "-c",
  "--config",
  "--import-map",
  "--cert",
  "--lock",
  "--preload",
  "--import",
  "--require",
  "--cpu-prof-dir",
]);
/** Rights in files, whose lists are of paths; programs that may be run are named by paths or without. */
const PATH_RIGHTS = /^(--(allow|deny|ignore)-(read|write|ffi)|-[RW])$/;
const RUN_RIGHTS = /^--(allow|deny)-run$/;
const PATH_VARIABLES = ["DENO_DIR", "DENO_CERT", "NODE_EXTRA_CA_CERTS"];

const RULES: FlagRules = {
  isDropped: (name) => DROPPED.test(name),
  absolute(name, value) {
    if (PATHS.has(name)) return isUrl(value) ? value : fromOrigin(value);
    if (PATH_RIGHTS.test(name)) return inList(value, (path) => fromOrigin(path));
    return RUN_RIGHTS.test(name) ? inList(value, (path) => path.includes("/") ? fromOrigin(path) : path) : value;
  },
};

/** Of what Deno takes from NODE_OPTIONS. */
const NODE_RULES: FlagRules = {
  isDropped: (name) => name.startsWith("--inspect"),
  absolute: (name, value) => /^(-r|--require)$/.test(name) && !isUrl(value) ? fromOrigin(value) : value,
};

function isUrl(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(value);
}

/** A comma within an element is written twice. */
function inList(list: string, change: (element: string) => string): string {
  return list.split(/(?<!,),(?!,)/).map((element) => element === "" ? element : change(element)).join(",");
}

const V8_FLAGS = "--v8-flags=";
const NEEDS_GC = "--expose-gc";
const NO_CODE_CACHE = "--no-code-cache";

export interface ParentFlags {
  /** `/proc/self/cmdline` in parts, or null where there is none. */
  readonly commandLine: readonly string[] | null;
  /** How many of them are the program's own. */
  readonly programArgs: number;
  /** Used where the command line can't be read: the permissions in full as flags. */
  readonly permissions: readonly string[];
  /** Whether the new process must be able to collect garbage. */
  readonly collects: boolean;
  /** Flags that it gets beside them. @default none */
  readonly more?: readonly string[];
}

/** The flags that give a new process the rights and the configuration of its parent. */
export function childFlags(parent: ParentFlags): string[] {
  const own = ownFlags(parent);
  const { more = [] } = parent;
  const flags = [...own ?? parent.permissions, ...more.filter((flag) => !flag.startsWith(V8_FLAGS))];
  // They may be given once only.
  const engine = [...v8Flags(beforeProgramArgs(parent) ?? []), ...v8Flags(more)];
  if (!parent.collects || engine.includes(NEEDS_GC)) return [...flags, ...engineFlag(engine)];
  // Compiled code is kept for one set of engine flags: parent and child would take turns to throw away what the other kept.
  return [...flags, NO_CODE_CACHE, ...engineFlag([NEEDS_GC, ...engine])];
}

/** Adds the socket at `path` to what scoped rights allow. A flag may be given once only, so its list grows. */
export function allowSocket(flags: readonly string[], path: string): string[] {
  if (hasAllRights(flags)) return [...flags];
  return allow(allow(allow([...flags], "read", "R", path), "write", "W", path), "net", "N", `unix:${path}`);
}

function hasAllRights(flags: readonly string[]): boolean {
  return flags.includes("-A") || flags.includes("--allow-all");
}

const LATE_IMPORTS = "--unstable-lazy-dynamic-imports";

/**
 * Deno reads all that a program may ever import before it runs the first line, which takes a process longer than what it does import.
 * Without all rights that is how it may import it at all: what is read later needs the right to.
 */
export function importingLate(flags: readonly string[]): string[] {
  const mayLoad = hasAllRights(flags) && !flags.some((flag) => flag.startsWith("--deny-"));
  return mayLoad && !flags.includes(LATE_IMPORTS) ? [...flags, LATE_IMPORTS] : [...flags];
}

function allow(flags: string[], right: string, letter: string, value: string): string[] {
  const long = `--allow-${right}`;
  const inFull = (flag: string) => flag === long || (/^-[A-Z]+$/.test(flag) && flag.includes(letter));
  if (flags.some(inFull)) return flags;
  const at = flags.findIndex((flag) => flag.startsWith(`${long}=`) || flag.startsWith(`-${letter}=`));
  if (at === -1) return [...flags, `${long}=${value}`];
  return flags.with(at, `${flags[at]},${value}`);
}

/** What stands before the program's own arguments, which may look like flags. Null where the command line says nothing. */
function beforeProgramArgs({ commandLine, programArgs }: ParentFlags): readonly string[] | null {
  return commandLine && commandLine.slice(0, commandLine.length - programArgs);
}

function ownFlags(parent: ParentFlags): string[] | null {
  const commandLine = beforeProgramArgs(parent);
  if (commandLine === null) return null;
  const scriptAt = commandLine.length - 1;
  const before = commandLine.slice(1, scriptAt);
  // Flags of any subcommand may stand before it, with their values.
  const [first = ""] = before;
  const runAt = before.indexOf("run");
  if (runAt !== -1 && (runAt === 0 || first.startsWith("-"))) return repeated(before.toSpliced(runAt, 1));
  if (scriptAt === 1 || first.startsWith("-")) return repeated(before);
  // What is evaluated has every right, without a flag that says so.
  const implied = first === "eval" ? parent.permissions : [];
  return [...implied, ...passedOn(ofAnySubcommand(commandLine.slice(2)), RULES)];
}

function repeated(flags: readonly string[]): string[] {
  // The short form of --reload may stand in a cluster, such as -Ar.
  return passedOn(flags, RULES).map((flag) => /^-[A-Za-z]{2,}$/.test(flag) ? flag.replace("r", "") : flag);
}

function ofAnySubcommand(flags: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < flags.length && flags[i] !== "--"; i++) {
    const flag = flags[i] ?? "";
    const value = flags[i + 1];
    if (!KEPT.test(flag.replace(/=.*$/s, "")) && !VALUE_APART.has(flag)) continue;
    result.push(flag);
    if (VALUE_APART.has(flag) && value !== undefined && !value.startsWith("-")) result.push(flags[++i] ?? "");
  }
  return result;
}

function v8Flags(commandLine: readonly string[]): string[] {
  const given = commandLine.find((flag) => flag.startsWith(V8_FLAGS))?.slice(V8_FLAGS.length) ?? "";
  return given.split(",").filter((flag) => flag !== "");
}

function engineFlag(flags: readonly string[]): string[] {
  return flags.length === 0 ? [] : [V8_FLAGS + flags.join(",")];
}

/** `env` with paths that hold in any working directory, and without what would debug again. */
export function childEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const passed = { ...env };
  const options = env["NODE_OPTIONS"];
  if (options !== undefined) passed["NODE_OPTIONS"] = joinOptions(passedOn(splitOptions(options), NODE_RULES));
  for (const name of PATH_VARIABLES) {
    const path = env[name];
    if (path !== undefined && path !== "") passed[name] = fromOrigin(path);
  }
  return passed;
}
