import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createMessageConnection, type MessageConnection } from "vscode-jsonrpc/node.js";
import { command, fixture } from "./cli_process.ts";

const DEADLINE_MS = 40_000;

export interface ServedEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** `brokkr serve`, with its standard input and output in the test's hands. */
export class Served {
  readonly child: ChildProcess;
  readonly ended: Promise<ServedEnd>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[]) {
    const [executable = "", ...first] = command;
    this.child = spawn(executable, [...first, "serve", ...args], { stdio: "pipe", detached: true });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => this.stderr += text);
    this.ended = new Promise((resolve) => this.child.once("close", (code, signal) => resolve({ code, signal })));
  }

  /** The client that users have: vscode-jsonrpc, which speaks in content-length framing. */
  client(): MessageConnection {
    const { stdin, stdout } = this.child;
    if (stdin === null || stdout === null) throw new Error("no pipes");
    const client = createMessageConnection(stdout, stdin);
    client.listen();
    return client;
  }

  /** Everything that comes on standard output, after `text` and the end of input were sent. */
  async say(text: string): Promise<string> {
    this.child.stdout?.setEncoding("utf8").on("data", (chunk: string) => this.stdout += chunk);
    this.child.stdin?.end(text);
    await this.ended;
    return this.stdout;
  }

  /** Not `child.kill()`: after it Deno tells the signal that was sent as the one that ended the process. */
  kill(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined) process.kill(this.child.pid, signal);
  }

  sweep(): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // Gone before.
    }
  }
}

/** Serves a fixture for the time of `body`, which has a deadline. */
export async function whileServed(
  name: string,
  body: (served: Served) => Promise<void>,
  options: readonly string[] = [],
): Promise<void> {
  const served = new Served([fixture(`serve/${name}`), ...options]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not settled after ${DEADLINE_MS} ms:\n${served.stderr}`)), DEADLINE_MS);
  });
  try {
    await Promise.race([body(served), late]);
  } finally {
    clearTimeout(timer);
    served.sweep();
    await served.ended;
  }
}
