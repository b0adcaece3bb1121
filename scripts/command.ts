/** One program run to its end, with what it printed. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository: where every command of the scripts runs unless told otherwise. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What only work on brokkr needs, with a configuration of its own: who runs `deno task demo` fetches none of it. */
export const DEV = join(ROOT, "dev");

/** The Bun of the lock file. */
export const BUN = join(DEV, "node_modules/bun/bin/bun.exe");

/** What stands behind `deno run`, `test` or `check` for a file that imports a package of `DEV`. */
export const DEV_CONFIG = ["--config", join(DEV, "deno.json")];

export interface CommandOptions {
  /** @default the root of the repository */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether `env` is all of the environment. @default false */
  readonly clearEnv?: boolean;
  /** @default 300,000 */
  readonly deadlineMs?: number;
  /** Gets each chunk as it comes. */
  readonly echo?: (chunk: Uint8Array) => void;
}

export interface CommandResult {
  readonly code: number;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  /** Standard output and standard error in the order in which they came. */
  readonly output: string;
}

const running = new Set<number>();
let ending = false;

/** Runs `command` in a process group of its own, which is killed when the deadline passes. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error("Cannot run a command: it is empty");
  if (ending) await new Promise(() => {}); // this process is about to exit
  const child = new Deno.Command(program, {
    args,
    cwd: options.cwd ?? ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
    clearEnv: options.clearEnv === true,
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  }).spawn();
  running.add(child.pid);

  let timedOut = false;
  let stopping = Promise.resolve();
  const deadline = setTimeout(() => {
    timedOut = true;
    stopping = stop([child.pid]);
  }, options.deadlineMs ?? 300_000);
  const all = collector(options.echo);
  const stdout = collector();
  const reading = Promise.all([
    read(child.stdout, (chunk) => (all.add(chunk), stdout.add(chunk))),
    read(child.stderr, (chunk) => all.add(chunk)),
  ]);
  const status = await child.status;
  clearTimeout(deadline);
  await stopping;
  running.delete(child.pid);
  // A process that outlives the program may hold its pipes open for ever.
  let grace: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([reading, new Promise((done) => grace = setTimeout(done, 500))]);
  clearTimeout(grace);
  return { code: status.code, signal: status.signal, timedOut, stdout: stdout.text(), output: all.text() };
}

/** Ends what runs when this process is told to end: groups of their own do not get the terminal's signals. */
export function stopOnSignals(stopMore: () => void = () => {}): void {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, async () => {
      ending = true;
      stopMore();
      await stop([...running]);
      Deno.exit(code);
    });
  }
}

/** Gives the groups a moment to end what they have started in groups of their own, as the suite does. */
async function stop(groups: readonly number[]): Promise<void> {
  for (const pid of groups) signalGroup(pid, "SIGTERM");
  await new Promise((done) => setTimeout(done, 500));
  for (const pid of groups) signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    Deno.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
  }
}

interface Collector {
  add(chunk: Uint8Array): void;
  text(): string;
}

function collector(echo?: (chunk: Uint8Array) => void): Collector {
  const decoder = new TextDecoder();
  let text = "";
  return {
    add(chunk) {
      echo?.(chunk);
      text += decoder.decode(chunk, { stream: true });
    },
    text: () => withoutColors(text),
  };
}

async function read(stream: ReadableStream<Uint8Array>, add: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of stream) add(chunk);
}

/** Deno colors its reports even when nobody looks at them. */
function withoutColors(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "");
}
