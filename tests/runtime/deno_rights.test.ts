import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { realpathSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process, { execPath } from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fixture, receive, runtime, within, withStarted } from "./started.ts";

const DENO = { skip: runtime.name === "deno" ? false : "only Deno has rights" };
const LINUX = process.platform === "linux" ? DENO : { skip: "only Linux shows a command line as a file" };
const SCRIPT = runtime.name !== "deno" || spawnSync("script", ["--version"]).status === 0
  ? DENO
  : { skip: "script is not installed" };
const sources = fileURLToPath(new URL("../..", import.meta.url));
const temporary = realpathSync(tmpdir());

test("Deno hands its scoped rights on, and the right to the channel", DENO, async () => {
  const rights = [`--allow-read=${sources},${temporary}`, `--allow-write=${temporary}`, "--allow-net", "--allow-run"];
  assert.deepEqual(await runWith([...rights, "--allow-env"]), { code: 0, stdout: "answered 5\n", stderr: "" });
});

test(
  "Deno without the right to its environment starts nothing, as a new process could not see its role",
  DENO,
  async () => {
    const { code, stdout, stderr } = await runWith(["--allow-read", "--allow-write", "--allow-net", "--allow-run"]);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    assert.match(stderr, /Requires env access/);
  },
);

test("Deno without the right to a folder for its sockets says so", DENO, async () => {
  const { code, stderr } = await runWith(["--allow-read", "--allow-net", "--allow-run", "--allow-env"]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot make sockets for new processes: no temporary folder can be written in \(Requires write access/,
  );
});

test(
  "Deno with all rights starts processes that read what they import later when they do",
  LINUX,
  () =>
    withStarted({ mode: "echo" }, async ({ pid }) => {
      const flags = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
      assert.ok(flags.includes("--unstable-lazy-dynamic-imports"), flags.join(" "));
    }),
);

test("Deno with scoped rights is not asked for more of them on a terminal", SCRIPT, () => {
  const program = `import { Broker, defineModule } from "${new URL("../../mod.ts", import.meta.url)}";
  const greeter = defineModule({ name: "greeter", commands: { greet: (name) => "Hello " + name } });
  const broker = await Broker.start({ name: "scoped", modules: [greeter] });
  console.log(await broker.call(greeter, "greet", ["world"]));
  const { modules: [{ memory }] } = await broker.status();
  await broker.restart(greeter);
  await broker.stop();
  console.log("restarted, memory", memory.rssBytes);`;
  const file = join(temporary, `brokkr-scoped-${process.pid}.ts`);
  writeFileSync(file, program);
  try {
    const rights = [
      "--allow-env",
      "--allow-net",
      `--allow-read=${temporary}`,
      `--allow-write=${temporary}`,
      `--allow-run=/bin/sh,${execPath}`,
    ];
    const line = ["exec", execPath, "run", "--no-lock", ...rights, file].map((word) => `'${word}'`).join(" ");
    const { stdout } = spawnSync("script", ["-qec", line, "/dev/null"], {
      encoding: "utf8",
      env: { ...process.env, BROKKR_LOG: "error", NO_COLOR: "1", SHELL: "/bin/sh", XDG_RUNTIME_DIR: "/run" },
      timeout: 40_000,
    });
    assert.equal(stdout.replaceAll("\r", ""), "Hello world\nrestarted, memory null\n");
  } finally {
    rmSync(file);
  }
});

async function runWith(rights: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stderr = "";
  const command = [execPath, "run", "--no-prompt", ...rights, fileURLToPath(fixture)];
  const started = await runtime.spawnCommand(command, {
    group: true,
    env: { ...runtime.env.all(), MODE: "once", NO_COLOR: "1" },
    output: (_stream, chunk) => stderr += new TextDecoder().decode(chunk),
  });
  try {
    const received = receive(started.channel);
    const { code } = await within(started.exited);
    await within(received.end);
    return { code, stdout: received.text(), stderr };
  } finally {
    started.kill("SIGKILL", { group: true });
  }
}
