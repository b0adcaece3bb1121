import { execFileSync, spawnSync } from "node:child_process";
import process from "node:process";

/** Why there is no terminal to look at, or false. */
export const NO_TMUX = spawnSync("tmux", ["-V"]).status !== 0 && "tmux is not installed";

export interface ScreenOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly width: number;
  readonly height: number;
}

/** A terminal that can be looked at. */
export class Screen implements Disposable {
  readonly #socket = `brokkr-${process.pid}-${Math.random().toString(36).slice(2)}`;

  /** @param shell what runs in it. */
  constructor(shell: string, { env, width, height }: ScreenOptions) {
    execFileSync("tmux", [
      ...["-L", this.#socket, "-f", "/dev/null", "new-session", "-d"],
      ...["-x", String(width), "-y", String(height), shell],
    ], { env: { ...process.env, ...env, TERM: "xterm-256color" } });
  }

  tmux(...args: string[]): string {
    return execFileSync("tmux", ["-u", "-L", this.#socket, ...args], { encoding: "utf8" });
  }

  text(): string {
    return this.tmux("capture-pane", "-p");
  }

  /** Of what the shell runs now. */
  pid(): number {
    const shell = this.tmux("list-panes", "-F", "#{pane_pid}").trim();
    return Number(execFileSync("pgrep", ["-P", shell], { encoding: "utf8" }));
  }

  keys(...keys: string[]): void {
    this.tmux("send-keys", ...keys);
  }

  /** Settles when the screen shows it; the sandbox' deadline is what ends it otherwise. */
  async shows(what: RegExp): Promise<string> {
    for (;;) {
      const text = this.text();
      if (what.test(text)) return text;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  [Symbol.dispose](): void {
    spawnSync("tmux", ["-L", this.#socket, "kill-server"]);
  }
}
