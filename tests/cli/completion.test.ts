import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { command, inSandbox, type Sandbox } from "./cli_process.ts";
import { NO_TMUX, Screen } from "./screen.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** What a script asks for with these words, the last of which is being typed; without the line that says what they are. */
async function completed(sandbox: Sandbox, words: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await sandbox.run(["completion", "bash", "--", ...words]);
  assert.deepEqual([words, code, stderr], [words, 0, ""]);
  return stdout.split("\n").slice(1, -1);
}

test("brokkr completion prints a script for each shell", () =>
  inSandbox(async (sandbox) => {
    for (const shell of SHELLS) {
      const { code, stdout, stderr } = await sandbox.run(["completion", shell]);
      assert.deepEqual([shell, code, stderr], [shell, 0, ""]);
      assert.match(stdout, new RegExp(`brokkr completion ${shell} -- `));
    }
    assert.equal((await sandbox.run(["completion", "cmd"])).code, 2);
  }));

test("brokkr completion offers commands, options, values, and the files that a command takes", () =>
  inSandbox(async (sandbox) => {
    const files = [
      "a.json",
      "b.jsonc",
      "c.ts",
      "d.mts",
      "e.js",
      "f.mjs",
      "g.cjs",
      "h.md",
      ".hidden.json",
      "my file.json",
    ];
    for (const name of files) writeFileSync(join(sandbox.folder, name), "");
    mkdirSync(join(sandbox.folder, "sub"));
    writeFileSync(join(sandbox.folder, "sub/deep.ts"), "");
    const ofRun = ["a.json", "b.jsonc", "c.ts", "d.mts", "e.js", "f.mjs", "g.cjs", "my file.json", "run/", "sub/"];
    const expected: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
      [["st"], ["status", "stop"]],
      [["--v"], ["--version"]],
      [["help", "rel"], ["reload"]],
      [["run", ""], ofRun],
      [["run", "sub/"], ["sub/deep.ts"]],
      [["run", ".h"], [".hidden.json"]],
      [["run", "my\\ f"], ["my file.json"]],
      [["call", "sla", "echo", "@a"], ["@a.json"]],
      [["run", "a.json", ""], []],
      [["run", "--pa"], ["--page", "--page-token-file"]],
      [["run", "--page", "1:1", "--pa"], ["--page-token-file"]],
      [["check", ""], ["a.json", "b.jsonc", "my file.json", "run/", "sub/"]],
      [["serve", ""], ["c.ts", "d.mts", "e.js", "f.mjs", "g.cjs", "run/", "sub/"]],
      [["init", ""], ["run/", "sub/"]],
      [["logs", "h"], ["h.md"]],
      [["logs", "--level", "e"], ["error"]],
      [["logs", "--level", "=", "e"], ["error"]],
      [["logs", "--level", "="], ["debug", "info", "warning", "error", "fatal"]],
      [["logs", "--event", "cleanup.d"], ["cleanup.done"]],
      [["explain", "call.a"], ["call.answered", "call.another-answer"]],
      [["completion", ""], ["bash", "zsh", "fish"]],
      [["call", ""], []],
      [["nothing", ""], []],
    ];
    for (const [words, offered] of expected) {
      assert.deepEqual([words, await completed(sandbox, words)], [words, offered]);
    }
  }));

test("brokkr completion offers what runs: brokers, modules and workers", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const expected: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
      [["status", "--broker", ""], ["cli-test"]],
      [["call", ""], ["sla", "Livestatus"]],
      [["call", "--broker", "cli-test", "s"], ["sla"]],
      [["call", "--broker", "other", "s"], []],
      [["call", "sla", "c"], ["crash", "circular", "count"]],
      [["call", "--json", "Livestatus", ""], ["token", "count"]],
      [["call", "sla", "echo", ""], []],
      [["restart", "L"], ["Livestatus", "Livestatus-1", "Livestatus-2"]],
      [["stop", "L"], ["Livestatus"]],
    ];
    for (const [words, offered] of expected) {
      assert.deepEqual([words, await completed(sandbox, words)], [words, offered]);
    }
  }));

const START = {
  bash: "bash --norc --noprofile",
  zsh: "zsh -f",
  fish: "fish --no-config",
};

const PREPARE = {
  bash: "source ./brokkr.bash",
  zsh: "autoload -Uz compinit; compinit -u; source ./brokkr.zsh",
  fish: "source ./brokkr.fish",
};

for (const shell of SHELLS) {
  const missing = spawnSync(shell, ["-c", "true"]).status === 0 ? false : `${shell} is not installed`;
  test(
    `brokkr completion ${shell} completes in ${shell} what is typed`,
    { skip: NO_TMUX || missing },
    () =>
      inSandbox(async (sandbox) => {
        const bin = join(sandbox.folder, "bin");
        mkdirSync(bin);
        const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
        writeFileSync(join(bin, "brokkr"), `#!/bin/sh\nexec ${words} "$@"\n`);
        chmodSync(join(bin, "brokkr"), 0o755);
        writeFileSync(join(sandbox.folder, "my file.json"), "");
        mkdirSync(join(sandbox.folder, "sub"));
        writeFileSync(join(sandbox.folder, "sub/deep.ts"), "");
        writeFileSync(join(sandbox.folder, `brokkr.${shell}`), (await sandbox.run(["completion", shell])).stdout);
        await sandbox.broker();
        const env = {
          PATH: `${bin}:${process.env["PATH"]}`,
          HOME: sandbox.folder,
          XDG_RUNTIME_DIR: sandbox.runtimeFolder,
          PS1: "$ ",
        };
        using screen = new Screen(`cd '${sandbox.folder}' && exec ${START[shell]}`, { env, width: 100, height: 30 });
        screen.keys(`${PREPARE[shell]}; echo prep''ared`, "Enter");
        await screen.shows(/^prepared$/m);
        const typed: readonly (readonly [typed: string, shown: RegExp])[] = [
          ["brokkr relo", /brokkr reload$/m],
          ["brokkr logs --level e", /brokkr logs --level error$/m],
          ["brokkr logs --level=e", /brokkr logs --level=error$/m],
          ["brokkr run my", /brokkr run my\\ file\.json$/m],
          ["brokkr run su", /brokkr run sub\/$/m],
          ["brokkr run sub/d", /brokkr run sub\/deep\.ts$/m],
          ["brokkr call sl", /brokkr call sla$/m],
          ["brokkr call sla cra", /brokkr call sla crash$/m],
          ["brokkr status --broker cl", /brokkr status --broker cli-test$/m],
          ["brokkr st", /status[^]*stop/],
        ];
        for (const [line, shown] of typed) {
          screen.keys("C-u");
          screen.keys("C-l");
          screen.keys("-l", line);
          screen.keys("Tab");
          if (line === "brokkr st" && shell === "bash") screen.keys("Tab");
          await screen.shows(shown);
        }
      }),
  );
}
