import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CommandProcess, SpawnCommandOptions } from "../../src/runtime/runtime.ts";
import { block, receive, runtime, succeeded, within } from "./started.ts";

const env = { PATH: runtime.env.get("PATH") ?? "" };

test("spawnCommand() connects standard input and output as one channel", () =>
  withCommand(["cat"], async (process) => {
    const received = receive(process.channel);
    for (let i = 0; i < 20; i++) process.channel.write(new Uint8Array(100_000).fill(i));
    await received.until(({ bytes }) => bytes === 2_000_000);
    assert.equal(process.channel.unsentBytes, 0);
    process.channel.close();
    await received.end;
    assert.deepEqual(received.closed, [undefined]);
    assert.deepEqual(await process.exited, succeeded);
  }));

test("CommandProcess.channel.close() ends standard input and still delivers what the command answers", () =>
  withCommand(["sh", "-c", "cat > /dev/null; sleep 0.1; echo bye"], async (process) => {
    const received = receive(process.channel);
    process.channel.write(new TextEncoder().encode("ignored\n"));
    process.channel.close();
    await received.end;
    assert.equal(received.text(), "bye\n");
    assert.deepEqual(await process.exited, succeeded);
  }));

test("spawnCommand() hands standard error to `output` and keeps it off the channel", async () => {
  let printed = "";
  await withCommand(["sh", "-c", "echo out; echo err >&2; exit 4"], async (process) => {
    const received = receive(process.channel);
    assert.deepEqual(await process.exited, { code: 4, signal: null });
    await received.end;
    assert.equal(received.text(), "out\n");
    assert.equal(printed, "stderr:err\n");
  }, { output: (stream, chunk) => printed += `${stream}:${new TextDecoder().decode(chunk)}` });
});

test("spawnCommand() gives the command its environment and working directory only", () =>
  withCommand([
    "sh",
    "-c",
    "pwd; env | grep -v ^PATH= | grep -v ^PWD= | grep -v ^_= | grep -v ^SHLVL= | grep -v ^OLDPWD=",
  ], async (process) => {
    const received = receive(process.channel);
    await received.end;
    assert.equal(received.text(), "/\nA=b\n");
  }, { cwd: "/", env: { ...env, A: "b" } }));

test("CommandProcess.channel delivers what was printed when a write fails because the command ended", () =>
  withCommand(["sh", "-c", "head -c 60000 /dev/zero"], async (process) => {
    const received = receive(process.channel);
    block(300);
    for (let i = 0; i < 10; i++) process.channel.write(new Uint8Array(1000));
    await received.end;
    assert.equal(received.bytes, 60_000);
    assert.equal(received.closed.length, 1);
    assert.deepEqual(await process.exited, succeeded);
  }));

test("CommandProcess.channel ends with an error when it writes to a command that has closed its standard input", () =>
  withCommand(["sh", "-c", "exec 0<&-; echo closed; exec sleep 60"], async (process) => {
    const received = receive(process.channel);
    await received.until(({ bytes }) => bytes === 7);
    process.channel.write(new TextEncoder().encode("a\n"));
    await received.end;
    assert.equal(received.closed.length, 1);
    assert.ok(received.closed[0] instanceof Error);
    assert.equal(received.text(), "closed\n");
    assert.equal(process.channel.unsentBytes, 0);
  }));

test("CommandProcess.exited settles while a grandchild holds the pipes", () =>
  withCommand(["sh", "-c", "echo word; sleep 30 & exit 6"], async (process) => {
    const received = receive(process.channel);
    assert.deepEqual(await process.exited, { code: 6, signal: null });
    await received.end;
    assert.equal(received.text(), "word\n");
    assert.equal(process.kill("SIGCONT"), false);
    assert.equal(process.groupRuns(), true);
    assert.equal(process.kill("SIGKILL", { group: true }), true);
    while (process.groupRuns()) await new Promise((resolve) => setTimeout(resolve, 5));
  }, { output: () => {} }));

test("spawnCommand() names an executable that does not exist", () =>
  assert.rejects(runtime.spawnCommand(["no-such-command"], { group: true, env }), {
    message: 'Cannot start command "no-such-command": the executable does not exist, install it or correct its path',
    lasting: true,
  }));

test("spawnCommand() names an executable that may not be run", () =>
  assert.rejects(runtime.spawnCommand(["/dev/null"], { group: true, env }), {
    message: 'Cannot start command "/dev/null": the executable may not be run, check its mode',
    lasting: true,
  }));

const scripts = [
  [
    "#!/no/such/interpreter -x",
    'the interpreter "/no/such/interpreter" of its first line does not exist, install it or correct that line',
  ],
  [
    "#! /bin/sh\r",
    'the interpreter "/bin/sh\\r" of its first line does not exist, save it with line ends of LF, not CR LF',
  ],
] as const;

test("spawnCommand() names the interpreter of a script that does not exist, and not the script, which is there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-script-"));
  try {
    for (const [line, why] of scripts) {
      const path = join(folder, "run.sh");
      writeFileSync(path, `${line}\necho run\n`, { mode: 0o755 });
      for (const [command, cwd] of [[path, undefined], ["./run.sh", folder]] as const) {
        await assert.rejects(runtime.spawnCommand([command], { group: true, env, cwd }), {
          message: `Cannot start command "${command}": ${why}`,
          lasting: true,
        });
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("spawnCommand() names a working directory that does not exist", () =>
  assert.rejects(runtime.spawnCommand(["cat"], { group: true, env, cwd: "/no/such/folder" }), {
    message:
      'Cannot start command "cat": working directory "/no/such/folder" does not exist, create it or correct "cwd"',
  }));

async function withCommand(
  command: readonly string[],
  body: (process: CommandProcess) => Promise<void>,
  options: Partial<SpawnCommandOptions> = {},
): Promise<void> {
  const process = await runtime.spawnCommand(command, { group: true, env, ...options });
  try {
    await within(body(process));
  } finally {
    process.kill("SIGKILL", { group: true });
    await process.exited;
  }
}

test("spawnDaemon() gives no standard input, and hands both outputs to `output`", async () => {
  const printed: string[] = [];
  const output = (stream: string, chunk: Uint8Array) => printed.push(`${stream}:${new TextDecoder().decode(chunk)}`);
  const command = ["sh", "-c", "cat; echo out; echo err >&2; exit 4"];
  const process = await runtime.spawnDaemon(command, { group: true, env, output });
  assert.deepEqual(await within(process.exited), { code: 4, signal: null });
  assert.deepEqual(printed.toSorted(), ["stderr:err\n", "stdout:out\n"]);
});

test("spawnDaemon() names an executable that does not exist", () =>
  assert.rejects(runtime.spawnDaemon(["no-such-command"], { group: true, env }), {
    message: /^Cannot start command "no-such-command": /,
  }));

test("answers() is true where a TCP connection is accepted, or a GET answered with a status below 400", async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/down" ? 503 : request.url === "/moved" ? 302 : 200;
    response.end("x");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const at = `127.0.0.1:${address.port}`;
  const http = (path: string) => runtime.answers({ kind: "http", at: `http://${at}${path}` }, 5_000);
  try {
    assert.equal(await runtime.answers({ kind: "tcp", at }, 5_000), true);
    assert.deepEqual([await http("/"), await http("/moved"), await http("/down")], [true, true, false]);
  } finally {
    server.closeAllConnections?.();
    await new Promise((resolve) => server.close(resolve));
  }
  assert.equal(await runtime.answers({ kind: "tcp", at }, 5_000), false);
  assert.equal(await http("/"), false);
});
