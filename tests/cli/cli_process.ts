import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { removeFolder } from "../fixtures/remove_folder.ts";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";

const DEADLINE_MS = 40_000;

/** `.ts` in Deno, `.js` where the suite is compiled. */
export const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const cli = fileURLToPath(new URL(`../../cli${ending}`, import.meta.url));
/** What `brokkr` is here. */
export const command = [process.execPath, ...RUN_FLAGS, cli];

/** Path of a fixture of the command line. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url));
}

export const brokerConfig = fixture("broker/brokkr.json");

/** What one run of the command line came to. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** A command that starts it. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from standard input; nothing when absent. */
  readonly input?: string | Uint8Array;
  /** How many files it may have open. @default as many as this process */
  readonly openFiles?: number;
}

interface CliOptions extends RunOptions {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

/** A run of the command line that goes on. */
export class CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  readonly #waiting = new Set<() => void>();
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], options: CliOptions) {
    const { input, openFiles, within = [], ...rest } = options;
    const limited = openFiles === undefined ? [] : ["/bin/sh", "-c", `ulimit -n ${openFiles}; exec "$@"`, "sh"];
    const [executable = "", ...first] = [...within, ...limited, ...command];
    this.child = spawn(executable, [...first, ...args], {
      ...rest,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true,
    });
    // One that ends without reading it all is no failure of this.
    this.child.stdin?.on("error", () => {}).end(input);
    for (const name of ["stdout", "stderr"] as const) {
      this.child[name]?.setEncoding("utf8").on("data", (text: string) => {
        this[name] += text;
        for (const check of this.#waiting) check();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        for (const check of this.#waiting) check();
      });
    });
  }

  /** Settles when `text` was printed that often; rejects when the process ended without. */
  async printed(stream: "stdout" | "stderr", text: string, times = 1): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const check = () => {
        if (this[stream].split(text).length > times) resolve();
        else if (this.child.exitCode === null && this.child.signalCode === null) return;
        else reject(new Error(`The process ended before it printed "${text}":\n${this.stdout}${this.stderr}`));
        this.#waiting.delete(check);
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Not `child.kill()`: after it Deno tells the signal that was sent as the one that ended the process. */
  kill(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined) process.kill(this.child.pid, signal);
  }

  /** Kills the process with its group; those of modules are in groups of their own, which end with it. */
  sweep(): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // Gone before.
    }
  }
}

/** A folder of control sockets, and what runs with it. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "brokkr-cli-"));
  readonly runtimeFolder = join(this.folder, "run");
  readonly #processes: CliProcess[] = [];

  constructor() {
    mkdirSync(this.runtimeFolder, { mode: 0o700 });
  }

  get sockets(): string {
    return join(this.runtimeFolder, "brokkr");
  }

  /** What brokers have beside each other: a socket, and the file of what they started, whose name is never the same. */
  liveFiles(): string[] {
    return readdirSync(this.sockets).map((name) => name.replace(/~.*(?=\.tree$)/, "…")).sort();
  }

  start(args: readonly string[], options: RunOptions = {}): CliProcess {
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(process.env)) {
      if (value !== undefined && !/^(BROKKR_ROLE|BROKKR_LOG|BROKKR_PROGRAM|NODE_TEST_CONTEXT)$/.test(name)) {
        env[name] = value;
      }
    }
    const started = new CliProcess(args, {
      ...options,
      cwd: options.cwd ?? this.folder,
      env: { ...env, XDG_RUNTIME_DIR: this.runtimeFolder, NO_COLOR: "1", ...options.env },
    });
    this.#processes.push(started);
    return started;
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return await this.start(args, options).ended;
  }

  /** Starts a broker and waits until it is ready. */
  async broker(args: readonly string[] = ["run", brokerConfig], options: RunOptions = {}): Promise<CliProcess> {
    const broker = this.start(args, options);
    await broker.printed("stderr", "The broker is ready");
    return broker;
  }

  async end(): Promise<void> {
    for (const started of this.#processes) started.sweep();
    await Promise.all(this.#processes.map((started) => started.ended));
    await removeFolder(this.folder);
  }
}

/** Runs `body`, which has a deadline, and leaves nothing of it behind. */
export async function inSandbox(body: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  const sandbox = new Sandbox();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not settled after ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    await Promise.race([body(sandbox), late]);
  } finally {
    clearTimeout(timer);
    await sandbox.end();
  }
}
