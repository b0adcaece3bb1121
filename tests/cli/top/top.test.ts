import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { command, inSandbox, type Sandbox } from "../cli_process.ts";

const NO_TMUX = spawnSync("tmux", ["-V"]).status !== 0 && "tmux is not installed";

/** A terminal that can be looked at. */
class Screen implements Disposable {
  readonly #socket = `brokkr-${process.pid}-${Math.random().toString(36).slice(2)}`;

  constructor(sandbox: Sandbox, args: string, size: { width: number; height: number }) {
    const words = [...command, ...args.split(" ")].map((word) => `'${word}'`).join(" ");
    const env = { ...process.env, XDG_RUNTIME_DIR: sandbox.runtimeFolder, TERM: "xterm-256color" };
    const shell =
      `stty -a | grep -o -- '-\\?icanon' ; ${words}; echo ENDED $?; stty -a | grep -o -- '-\\?icanon'; sleep 60`;
    execFileSync("tmux", [
      ...["-L", this.#socket, "-f", "/dev/null", "new-session", "-d"],
      ...["-x", String(size.width), "-y", String(size.height), shell],
    ], { env });
  }

  tmux(...args: string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8" });
  }

  text(): string {
    return this.tmux("capture-pane", "-p");
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

test("brokkr top shows the processes, follows what happens, restarts one and leaves the terminal as it was", {
  skip: NO_TMUX,
}, () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    using screen = new Screen(sandbox, "top", { width: 80, height: 24 });
    const first = await screen.shows(/4 processes, 4 ready/);
    assert.match(first, /^ {2}sla +ready /m);
    assert.match(first, /^ {4}Livestatus-2 +ready /m);
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    await screen.shows(/last warnings and errors[^]*ERROR {3}sla: .*no such month/);
    screen.keys("Enter");
    await screen.shows(/^Clean after fork {2}/m);
    screen.keys("Escape", "r");
    await screen.shows(/restart sla\? y or n/);
    screen.keys("y");
    await screen.shows(/sla was started again/);
    assert.match(await screen.shows(/^. sla +ready +1 /m), /4 ready/);
    screen.tmux("resize-window", "-x", "60", "-y", "12");
    const small = await screen.shows(/NAME +STATE +RST +MEMORY CALLS\/S +P99$/m);
    assert.ok(small.split("\n").every((line) => line.length <= 60));
    screen.keys("q");
    const after = await screen.shows(/ENDED 0\s+-?icanon/);
    assert.doesNotMatch(after, /Livestatus/);
    assert.deepEqual(after.match(/-?icanon/g), ["icanon", "icanon"]);
  }));

test(
  "brokkr top that loses its broker says so on the terminal as it was, with exit code 5",
  { skip: NO_TMUX },
  () =>
    inSandbox(async (sandbox) => {
      const broker = await sandbox.broker();
      using screen = new Screen(sandbox, "top", { width: 80, height: 24 });
      await screen.shows(/4 processes/);
      broker.kill("SIGTERM");
      const after = await screen.shows(/ENDED 5\s+-?icanon/);
      assert.match(after, /Cannot reach broker "cli-test"/);
      assert.deepEqual(after.match(/-?icanon/g), ["icanon", "icanon"]);
    }),
);

test("brokkr top without a terminal says what to use instead", () =>
  inSandbox(async (sandbox) => {
    const { code, stderr } = await sandbox.run(["top"]);
    assert.equal(code, 2);
    assert.match(stderr, /use "brokkr status --watch" or "brokkr top --json"$/m);
  }));
