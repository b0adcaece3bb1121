import type { DenoNamespace, DenoPermission, DenoPermissionDescriptor } from "./namespace.ts";
import { fromOrigin, ownFolderOf } from "../posix/program.ts";
import type { Rights, Sandbox } from "../runtime.ts";

declare const Deno: DenoNamespace;

const ROLE_VARIABLE = "BROKKR_ROLE";
/** Rights of a process in flags, one a flag; its short letters are looked at apart. */
const GRANT = /^--(allow-(all|net|read|write|env|run|ffi|sys|import)|permission-set)(=|$)/;
const SHORT_GRANT = /^-[A-Za-z]*?[ARWNESIP]/;
/** By what Deno names the rights of a kind. */
const NAMED_BY: ReadonlyMap<string, keyof DenoPermissionDescriptor> = new Map(
  [
    ["net", "host"],
    ["import", "host"],
    ["read", "path"],
    ["write", "path"],
    ["ffi", "path"],
    ["env", "variable"],
    ["run", "command"],
    ["sys", "kind"],
  ] as const,
);

/** The flags that hold a process to `rights` and what brokkr needs: of its parent's it keeps what says no rights, and what denies. */
export function sandboxedFlags(flags: readonly string[], { rights, files }: Sandbox): string[] {
  const own: Rights = { read: [...ownSource(), ...files.map(asPath)], env: [ROLE_VARIABLE], import: ownHost() };
  const kept = flags.flatMap((flag) => GRANT.test(flag) ? [] : SHORT_GRANT.test(flag) ? withoutGrants(flag) : [flag]);
  for (const kind of NAMED_BY.keys()) {
    const given = rights[kind];
    const names = [...namesOf(given), ...namesOf(own[kind])];
    if (given === true) kept.push(`--allow-${kind}`);
    else if (names.length > 0) kept.push(`--allow-${kind}=${names.join(",")}`);
    // Deno allows some hosts where nothing is said, and asks them in spite of --deny-import.
    else if (kind === "import" && !kept.includes("--no-remote")) kept.push("--no-remote");
  }
  return kept;
}

/** The first of `rights` that this process has not itself, as a flag; null where it has all. */
export function missingRight(rights: Rights, cwd: string): string | null {
  for (const [kind, by] of NAMED_BY) {
    const given = rights[kind];
    if (given === true && !has(kind)) return `--allow-${kind}`;
    for (const name of namesOf(given)) {
      const value = by === "path" && !name.startsWith("/") ? `${cwd}/${name}` : name;
      if (!has(kind, { [by]: value })) return `--allow-${kind}=${name}`;
    }
  }
  return null;
}

/** What Deno keeps for the pages of an origin, and asks no right for: `caches`, `localStorage` and its key-value store. */
const STORAGE = "location_data";
/** Folders of code, which a new process would else make for itself alone. */
const SHARED = ["gen", "npm", "remote"];
/** Nothing can be made here. */
const NOWHERE = "/dev/null/brokkr";

/**
 * Deno's own folder for a process that is held to fewer rights: its code is in there as in that of this process, but what Deno stores
 * for a program without asking for a right can't be. Where no such folder can be made it is none at all, and code is compiled anew.
 */
export function sandboxedFolder(env: Readonly<Record<string, string>>): string {
  const shared = ownFolder(env);
  const path = `${shared}/brokkr-sandboxed`;
  try {
    ignoreExisting(() => Deno.mkdirSync(path, { mode: 0o700 }));
    // A file is no folder.
    const storage = `${path}/${STORAGE}`;
    ignoreExisting(() => Deno.openSync(storage, { read: false, write: true, createNew: true }).close());
    if (Deno.statSync(storage).isDirectory) return NOWHERE;
    for (const name of SHARED) ignoreExisting(() => Deno.mkdirSync(`${shared}/${name}`, { mode: 0o755 }));
    for (const { name } of Deno.readDirSync(shared)) {
      // SQLite finds its further files beside what the link leads to.
      if (name === STORAGE || name === "brokkr-sandboxed" || /-(wal|shm)$/.test(name)) continue;
      ignoreExisting(() => Deno.symlinkSync(`../${name}`, `${path}/${name}`));
    }
    return path;
  } catch {
    return NOWHERE;
  }
}

function ownFolder(
  { DENO_DIR: given, XDG_CACHE_HOME: cache, HOME: home = "" }: Readonly<Record<string, string>>,
): string {
  if (given) return fromOrigin(given);
  if (Deno.build.os === "darwin") return `${home}/Library/Caches/deno`;
  return `${cache?.startsWith("/") ? cache : `${home}/.cache`}/deno`;
}

/** Another process of this user may have been faster. */
function ignoreExisting(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AlreadyExists") throw error;
  }
}

function has(kind: string, what: Omit<DenoPermissionDescriptor, "name"> = {}): boolean {
  return isPermission(kind) && Deno.permissions.querySync({ name: kind, ...what }).state === "granted";
}

function isPermission(kind: string): kind is DenoPermission {
  return NAMED_BY.has(kind);
}

function namesOf(value: Rights[string]): readonly string[] {
  return typeof value === "object" ? value : [];
}

/** A cluster such as `-ARq`, of which the letters that grant go; `-R=/a` goes as a whole. */
function withoutGrants(flag: string): string[] {
  if (flag.includes("=")) return [];
  const rest = flag.replaceAll(/[ARWNESIP]/g, "");
  return rest === "-" ? [] : [rest];
}

/** brokkr's own files are read by module files that import it. */
function ownSource(): string[] {
  const folder = ownFolderOf(import.meta.url);
  return folder === null ? [] : [folder];
}

function ownHost(): string[] {
  const { protocol, host } = new URL(import.meta.url);
  return protocol === "https:" ? [host] : [];
}

function asPath(file: string): string {
  return file.startsWith("file:") ? decodeURIComponent(new URL(file).pathname) : file;
}
