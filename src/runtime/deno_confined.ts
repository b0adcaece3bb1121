import type { DenoNamespace, DenoPermission, DenoPermissionDescriptor } from "./deno_namespace.ts";
import type { Confinement, Rights } from "./runtime.ts";

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

/** The flags that hold a process to `rights` and what brokkr needs: of its father's it keeps what says no rights, and what denies. */
export function confinedFlags(flags: readonly string[], { rights, files }: Confinement): string[] {
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
  const { protocol, pathname } = new URL("../../", import.meta.url);
  return protocol === "file:" ? [decodeURIComponent(pathname)] : [];
}

function ownHost(): string[] {
  const { protocol, host } = new URL(import.meta.url);
  return protocol === "https:" ? [host] : [];
}

function asPath(file: string): string {
  return file.startsWith("file:") ? decodeURIComponent(new URL(file).pathname) : file;
}
