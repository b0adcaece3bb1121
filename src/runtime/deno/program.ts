import { allowSocket, childEnvironment, childFlags } from "./flags.ts";
import { missingRight, sandboxedFlags, sandboxedFolder } from "./confined.ts";
import type { DenoNamespace, DenoPermission } from "./namespace.ts";
import { fromOrigin, ORIGIN } from "../posix/origin.ts";
import type { Sandbox, SpawnProgramOptions } from "../runtime.ts";

declare const Deno: DenoNamespace;

const PERMISSIONS: readonly DenoPermission[] = ["read", "write", "net", "env", "run", "sys", "ffi", "import"];

/** What to run, and its arguments, for a process of the same program (or of `given`) that connects to the socket at `path`. */
export function programArguments(
  { program: given, cwd, sandbox, collects = true }: Pick<
    SpawnProgramOptions,
    "program" | "cwd" | "sandbox" | "collects"
  >,
  path: string,
): { program: string; args: string[] } {
  if (Deno.build.standalone) return { program: Deno.execPath(), args: Deno.args };
  const program = given === undefined ? Deno.mainModule : absolute(given);
  const father = { commandLine: commandLine(), programArgs: Deno.args.length, permissions: permissions() };
  const all = childFlags({ ...father, collects });
  const flags = sandbox === undefined ? all : confined(all, sandbox, cwd);
  return { program, args: ["run", ...allowSocket(flags, path), program, ...Deno.args] };
}

/** @throws {Error} whose `lasting` is true where this process has not itself what is asked for. */
function confined(flags: readonly string[], sandbox: Sandbox, cwd: string | undefined): string[] {
  const missing = missingRight(sandbox.rights, cwd ?? ORIGIN ?? ".");
  if (missing === null) return sandboxedFlags(flags, sandbox);
  const why = `its permissions name a right that the broker has not, start the broker with ${missing} or remove it`;
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
  try {
    return Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
  } catch {
    return null;
  }
}

function permissions(): string[] {
  const granted = PERMISSIONS.filter((name) => Deno.permissions.querySync({ name }).state === "granted");
  return granted.length === PERMISSIONS.length ? ["-A"] : granted.map((name) => `--allow-${name}`);
}
