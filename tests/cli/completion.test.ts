import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { command, inSandbox } from "./cli_process.ts";

const BASH = { skip: spawnSync("bash", ["-c", "true"]).status === 0 ? false : "there is no bash on PATH" };

test("brokkr completion prints a script for each shell", () =>
  inSandbox(async (sandbox) => {
    for (const shell of ["bash", "zsh", "fish", "pwsh", "nu"]) {
      const { code, stdout, stderr } = await sandbox.run(["completion", shell]);
      assert.deepEqual([shell, code, stderr], [shell, 0, ""]);
      assert.match(stdout, /brokkr/);
    }
    assert.equal((await sandbox.run(["completion", "cmd"])).code, 2);
  }));

test("brokkr completion bash is taken by bash, and completes commands and events", BASH, async () => {
  await inSandbox(async (sandbox) => {
    const bin = join(sandbox.folder, "bin");
    mkdirSync(bin);
    const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    writeFileSync(join(bin, "brokkr"), `#!/bin/sh\nexec ${words} "$@"\n`);
    chmodSync(join(bin, "brokkr"), 0o755);
    const { stdout: script } = await sandbox.run(["completion", "bash"]);
    const path = join(sandbox.folder, "completion.bash");
    writeFileSync(path, script);
    assert.deepEqual(await bash(`bash -n '${path}'`), { code: 0, stdout: "", stderr: "" });
    const expected: readonly (readonly [typed: string, offered: readonly string[]])[] = [
      ["st", ["status", "stop"]],
      ["explain call.a", ["call.another-answer", "call.answered"]],
      ["logs --event cleanup.d", ["cleanup.done"]],
      ["logs --level e", ["error"]],
    ];
    for (const [typed, offered] of expected) {
      const line = `brokkr ${typed}`;
      const complete = `export PATH='${bin}':"$PATH"; source '${path}'; COMP_WORDS=(${line}); ` +
        `COMP_CWORD=${line.split(" ").length - 1}; COMP_LINE='${line}'; COMP_POINT=${line.length}; ` +
        `_brokkr brokkr ${typed.split(" ").at(-1)} brokkr; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { code, stdout, stderr } = await bash(complete);
      assert.equal(code, 0, stderr);
      assert.deepEqual(stdout.trim().split(/\s*\n/).sort(), offered);
    }
  });
});

async function bash(line: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn("bash", ["-c", line], { stdio: ["ignore", "pipe", "pipe"], env: process.env });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const collected = { text: "" };
    stream.setEncoding("utf8").on("data", (chunk: string) => collected.text += chunk);
    return collected;
  });
  const [code]: unknown[] = await Promise.race([once(child, "close"), once(child, "error").then(() => [null])]);
  return { code: typeof code === "number" ? code : null, stdout: stdout?.text ?? "", stderr: stderr?.text ?? "" };
}
