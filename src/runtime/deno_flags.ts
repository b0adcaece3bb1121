/** What a process of the same program must not repeat: it would listen, wait or write where its father does. */
const DROPPED =
  /^--(inspect|watch|hmr|check|no-check|reload|coverage|env-file|env|no-clear-screen|v8-flags)(-[a-z-]+)?(=|$)/;
/** Flags that say nothing about the subcommand, to keep where the father was not started by `deno run`. */
const KEPT =
  /^(-A|-[RWNESI]+|--(allow|deny|ignore|unstable|no-remote|no-lock|no-config|no-npm|no-prompt|cached-only|config|import-map|lock|cert|location|seed|node-modules-dir|vendor|permission-set|conditions|preload|quiet)(-[a-z-]+)?)(=|$)/;
/** Their value may stand in the next argument. */
const VALUE_APART = new Set([
  "-c",
  "--config",
  "--import-map",
  "--cert",
  "--location",
  "--seed",
  "--lock",
  "--preload",
]);
const NEEDS_GC = "--expose-gc";
const NO_CODE_CACHE = "--no-code-cache";

export interface FatherFlags {
  /** `/proc/self/cmdline` in parts, or null where there is none. */
  readonly commandLine: readonly string[] | null;
  /** How many of them are the program's own. */
  readonly programArgs: number;
  /** Used where the command line can't be read: the permissions in full as flags. */
  readonly permissions: readonly string[];
  /** Whether the new process must be able to collect garbage. */
  readonly collects: boolean;
}

/** The flags that give a new process the rights and the configuration of its father. */
export function childFlags(father: FatherFlags): string[] {
  const own = father.commandLine === null ? null : ownFlags(father.commandLine, father.programArgs);
  const flags = own ?? [...father.permissions];
  const engine = own === null ? [] : v8Flags(father.commandLine ?? []);
  if (!father.collects || engine.includes(NEEDS_GC)) return [...flags, ...engineFlag(engine)];
  // Compiled code is kept for one set of engine flags: father and child would take turns to throw away what the other kept.
  return [...flags, NO_CODE_CACHE, ...engineFlag([NEEDS_GC, ...engine])];
}

/** Adds the socket at `path` to what scoped rights allow. A flag may be given once only, so its list grows. */
export function allowSocket(flags: readonly string[], path: string): string[] {
  if (flags.includes("-A") || flags.includes("--allow-all")) return [...flags];
  return allow(allow(allow([...flags], "read", "R", path), "write", "W", path), "net", "N", `unix:${path}`);
}

function allow(flags: string[], right: string, letter: string, value: string): string[] {
  const long = `--allow-${right}`;
  const inFull = (flag: string) => flag === long || (/^-[A-Z]+$/.test(flag) && flag.includes(letter));
  if (flags.some(inFull)) return flags;
  const at = flags.findIndex((flag) => flag.startsWith(`${long}=`) || flag.startsWith(`-${letter}=`));
  if (at === -1) return [...flags, `${long}=${value}`];
  return flags.with(at, `${flags[at]},${value}`);
}

/** Null where nothing can be told from the command line. */
function ownFlags(commandLine: readonly string[], programArgs: number): string[] | null {
  const [, first = ""] = commandLine;
  const scriptAt = commandLine.length - programArgs - 1;
  const isRun = first === "run" && scriptAt > 1;
  const isBare = scriptAt === 1 || first.startsWith("-");
  if (isRun || isBare) return dropped(commandLine.slice(isRun ? 2 : 1, scriptAt));
  return kept(commandLine.slice(2));
}

function dropped(flags: readonly string[]): string[] {
  const result: string[] = [];
  for (const flag of flags) {
    if (DROPPED.test(flag) || flag === "run" || flag === "-r" || flag.startsWith("-r=")) continue;
    result.push(/^-[A-Za-z]{2,}$/.test(flag) ? flag.replace("r", "") : flag);
  }
  return result;
}

function kept(flags: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < flags.length && flags[i] !== "--"; i++) {
    const flag = flags[i] ?? "";
    const value = flags[i + 1];
    if (VALUE_APART.has(flag) && value !== undefined && !value.startsWith("-")) {
      result.push(flag, value);
      i++;
    } else if (KEPT.test(flag)) {
      result.push(flag);
    }
  }
  return result;
}

function v8Flags(commandLine: readonly string[]): string[] {
  const given = commandLine.find((flag) => flag.startsWith("--v8-flags="))?.slice("--v8-flags=".length) ?? "";
  return given.split(",").filter((flag) => flag !== "");
}

function engineFlag(flags: readonly string[]): string[] {
  return flags.length === 0 ? [] : [`--v8-flags=${flags.join(",")}`];
}
