import { allowSocket, childFlags } from "./deno_flags.ts";
import type { DenoNamespace, DenoPermission } from "./deno_namespace.ts";

declare const Deno: DenoNamespace;

const PERMISSIONS: readonly DenoPermission[] = ["read", "write", "net", "env", "run", "sys", "ffi", "import"];

/** What to run, and its arguments, for a process of the same program (or of `given`) that connects to the socket at `path`. */
export function programArguments(given: string | undefined, path: string): { program: string; args: string[] } {
  if (Deno.build.standalone) return { program: Deno.execPath(), args: Deno.args };
  const program = given === undefined ? Deno.mainModule : absolute(given);
  const flags = childFlags({ commandLine: commandLine(), programArgs: Deno.args.length, permissions: permissions() });
  return { program, args: ["run", ...allowSocket(flags, path), program, ...Deno.args] };
}

/** A compiled binary takes no flags: the variable is how its engine gets the one that shows the garbage collector. */
export function programEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!Deno.build.standalone) return env;
  const given = env["DENO_V8_FLAGS"];
  return { ...env, DENO_V8_FLAGS: given === undefined ? "--expose-gc" : `--expose-gc,${given}` };
}

/** The new process may have another working directory. */
function absolute(program: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(program) || program.startsWith("/")) return program;
  return `${Deno.cwd()}/${program}`;
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
