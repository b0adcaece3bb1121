import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { removeFolder } from "../fixtures/remove_folder.ts";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";

const DEADLINE_MS = 60_000;
/** Compiled where this file is. */
const ENDING = import.meta.url.slice(import.meta.url.lastIndexOf("."));

export const runtimeName = process.versions["deno"] !== undefined
  ? "deno"
  : process.versions["bun"] !== undefined
  ? "bun"
  : "node";

/** The repository, or the folder of the compiled suite, which has all of it in the same places. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The command line of brokkr in this runtime. */
export const CLI = inThisRuntime(join(ROOT, `cli${ENDING}`));

/** How this runtime runs `program`; a `.ts` of the repository is the `.js` of the compiled suite. */
export function inThisRuntime(program: string, ...args: string[]): string[] {
  const file = program.startsWith(ROOT) ? program.replace(/\.ts$/, ENDING) : program;
  return [process.execPath, ...RUN_FLAGS, file, ...args];
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end, which the deadline brings about otherwise. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  await using running = start(command, options);
  return await running.ended;
}

/** A command that goes on until it is told to end. */
export interface Running extends AsyncDisposable {
  readonly ended: Promise<Ended>;
  /** Resolves with the first match of `pattern` in standard output and standard error; rejects when there will be none. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  signal(name: "SIGHUP" | "SIGINT" | "SIGTERM"): void;
}

export function start(command: readonly string[], { cwd, env }: CommandOptions = {}): Running {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    env: { ...process.env, NO_COLOR: "1", ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  let over = false;
  const deadline = setTimeout(() => kill(child.pid), DEADLINE_MS);
  const ended = (async (): Promise<Ended> => {
    const failed = once(child, "error").then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    const [code]: unknown[] = await Promise.race([once(child, "close"), failed]);
    over = true;
    clearTimeout(deadline);
    return { code: typeof code === "number" ? code : null, stdout: stdout.text, stderr: stderr.text };
  })();
  ended.catch(() => {});
  return {
    ended,
    async printed(pattern) {
      for (;;) {
        const match = `${stdout.text}${stderr.text}`.match(pattern);
        if (match !== null) return match;
        if (over) throw new Error(`${command.join(" ")} ended without ${pattern}:\n${stdout.text}${stderr.text}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    // Under Deno, child.kill() makes the exit code of one that ends in good order null.
    signal: (name) => void (child.pid !== undefined && process.kill(child.pid, name)),
    async [Symbol.asyncDispose]() {
      if (!over) kill(child.pid);
      await ended.catch(() => {});
      clearTimeout(deadline);
    },
  };
}

/** An empty folder for the time of a test. Its path is a real one, without links. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "brokkr-example-")));
  return { path, [Symbol.asyncDispose]: () => removeFolder(path) };
}

function collect(stream: NodeJS.ReadableStream): { text: string } {
  const collected = { text: "" };
  stream.setEncoding("utf8").on("data", (chunk: string) => collected.text += chunk);
  return collected;
}

function kill(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, "SIGKILL");
  } catch {
    // Gone before.
  }
}

/** Puts a program `brokkr` into `folder`: the command line of this runtime, or another. */
export async function installBrokkr(folder: string, command: readonly string[] = CLI): Promise<void> {
  const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  await writeFile(join(folder, "brokkr"), `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(join(folder, "brokkr"), 0o755);
}
