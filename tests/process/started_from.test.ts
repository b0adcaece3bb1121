// Where a new process comes from: what it is started with is what its broker was started with, from where that was.
import assert from "node:assert/strict";
import { execFile, type ExecFileException } from "node:child_process";
import {
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";
import { ROOT } from "./program_files.ts";

const PROGRAM = fileURLToPath(new URL("../fixtures/start/program.ts", import.meta.url)).replace(
  /\.ts$/,
  import.meta.url.endsWith(".ts") ? ".ts" : ".js",
);
const RUNTIME = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
const DEADLINE = { timeout: 60_000 };
const SLOW_MS = 45_000;

interface Run {
  /** @default this process' own */
  readonly runtime?: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Output {
  readonly result: Record<string, unknown>;
  readonly lines: readonly string[];
}

/** What the program of the fixture prints, started as `args` say. */
async function printed(
  start: object,
  { runtime = process.execPath, args = [...RUN_FLAGS, PROGRAM], cwd, env }: Run = {},
): Promise<Output> {
  const options = {
    env: { ...process.env, ...env, START: JSON.stringify(start) },
    timeout: SLOW_MS,
    ...(cwd === undefined ? {} : { cwd }),
  };
  const output = await new Promise<string>((resolve, reject) => {
    execFile(runtime, args, options, (error: ExecFileException | null, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stdout}${stderr}`));
    });
  });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "");
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "brokkr test ")));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The runtime's own flags before the program, and how it loads a file before it. */
function preloading(file: string): Run {
  writeFileSync(file, "globalThis.preloaded = (globalThis.preloaded ?? 0) + 1;\n");
  if (RUNTIME === "deno") return { args: [...RUN_FLAGS, "--preload", "./before.mjs", PROGRAM] };
  if (RUNTIME === "bun") return { args: ["--preload", "./before.mjs", PROGRAM] };
  return { args: ["--import", "./before.mjs", PROGRAM], env: { NODE_OPTIONS: '--require "./before it.cjs"' } };
}

test(
  "a relative path in a flag means in every process what it meant for the broker",
  DEADLINE,
  () =>
    inFolder(async (folder) => {
      const run = preloading(join(folder, "before.mjs"));
      writeFileSync(join(folder, "before it.cjs"), "globalThis.preloaded = (globalThis.preloaded ?? 0) + 1;\n");
      mkdirSync(join(folder, "inner"));
      const settings = { "first-module": { cwd: "inner" } };
      const { result } = await printed({ settings }, { ...run, cwd: folder });
      const expected = { cwd: join(folder, "inner"), preloaded: RUNTIME === "node" ? 2 : 1, release: null };
      assert.deepEqual(result, { module: expected, worker: expected });
    }),
);

test(
  "a program that changes its working directory first does so in every process",
  DEADLINE,
  () =>
    inFolder(async (folder) => {
      const run = preloading(join(folder, "before.mjs"));
      writeFileSync(join(folder, "before it.cjs"), "globalThis.preloaded = (globalThis.preloaded ?? 0) + 1;\n");
      mkdirSync(join(folder, "inner"));
      const { result } = await printed({ chdir: "inner" }, { ...run, cwd: folder });
      const expected = { cwd: join(folder, "inner"), preloaded: RUNTIME === "node" ? 2 : 1, release: null };
      assert.deepEqual(result["module"], expected);
    }),
);

test(
  "a working directory that was removed is replaced by the program's, and one line says so",
  DEADLINE,
  () =>
    inFolder(async (folder) => {
      const cwd = join(folder, "release");
      mkdirSync(cwd);
      const { result, lines } = await printed({ remove: cwd }, { cwd });
      const instead = PROGRAM.slice(0, PROGRAM.lastIndexOf("/"));
      const expected = { cwd: instead, preloaded: null, release: null };
      assert.deepEqual(result, { module: expected, worker: expected });
      assert.deepEqual(
        lines.filter((line) => line.includes("is gone")).map((line) => line.replace(/PID:\d+/, "PID:1")),
        [
          `WARNING : [ first ] [ first-module ] [ PROCESS ] [ PID:1 ] [ MainThread ] ` +
          `first-module starts in ${instead}: the working directory ${cwd} is gone`,
        ],
      );
    }),
);

test("reload serves the release that a switched link leads to", DEADLINE, () =>
  inFolder(async (folder) => {
    for (const release of ["1", "2"]) {
      mkdirSync(join(folder, release));
      const program = `globalThis.release = ${release};\nawait import(${JSON.stringify(`file://${PROGRAM}`)});\n`;
      writeFileSync(join(folder, release, "main.mjs"), program);
    }
    symlinkSync("1", join(folder, "current"));
    symlinkSync("2", join(folder, "next"));
    const flags = RUNTIME === "deno" ? [...RUN_FLAGS, "--config", join(ROOT, "deno.json")] : [];
    const { result } = await printed(
      { replace: [join(folder, "next"), join(folder, "current")] },
      { cwd: folder, args: [...flags, "current/main.mjs"] },
    );
    const served = (release: number) => {
      const seen = { cwd: folder, preloaded: null, release };
      return { module: seen, worker: seen };
    };
    assert.deepEqual(result, { first: served(1), failed: [], second: served(2) });
  }));

test(
  "a process is started by the runtime that took the place of the broker's own",
  DEADLINE,
  () =>
    inFolder(async (cwd) => {
      const [runtime, next] = [join(cwd, "runtime"), join(cwd, "next")];
      for (const path of [runtime, next]) copyFileSync(process.execPath, path, constants.COPYFILE_FICLONE);
      const flags = RUNTIME === "deno" ? [...RUN_FLAGS, "--config", join(ROOT, "deno.json")] : [];
      const { result } = await printed({ replace: [next, runtime] }, { runtime, args: [...flags, PROGRAM], cwd });
      const seen = { cwd, preloaded: null, release: null };
      const served = { module: seen, worker: seen };
      assert.deepEqual(result, { first: served, failed: [], second: served });
    }),
);

for (const second of ["behind", "behind-stopped"]) {
  test(`a broker that is started ${second} another in one program is refused with the remedies`, DEADLINE, async () => {
    const { result, lines } = await printed({ second });
    assert.deepEqual(result, {
      rejected:
        'Cannot start broker "second": broker "first" was started before it, and a new process of the program goes no ' +
        'further than that start, start both at once (await Promise.all) or set "program" to a file that only starts "second"',
    });
    assert.deepEqual(lines.filter((line) => line.includes("second-module")), []);
  });
}

test("brokers that are started at once serve, each its own modules", DEADLINE, async () => {
  const { result } = await printed({ second: "beside" }, { cwd: ROOT });
  const seen = { cwd: realpathSync(ROOT), preloaded: null, release: null };
  assert.deepEqual(result, { all: [{ module: seen, worker: seen }, { module: seen, worker: seen }] });
});

const REMEDY = 'move it after that call, or set "program" to a file that only starts the broker';

test("a process that ends before Broker.start says that what stands before ran in it too", DEADLINE, async () => {
  const { lines } = await printed({ exits: true });
  assert.deepEqual(lines.filter((line) => line.includes("unexpectedly")).map((line) => line.replace(/\d+/g, "1")), [
    "WARNING : [ first ] [ first-module ] [ PROCESS ] [ PID:1 ] [ MainThread ] first-module ended unexpectedly " +
    '(pid 1, exit code 1, signal none): process exited with code 1 before it reached Broker.start({ name: "first" }): ' +
    `code before that runs in this process too, ${REMEDY}`,
  ]);
});

test("a process that serves the port of its broker says where that stands", DEADLINE, async () => {
  const { lines } = await printed({ port: await freePort() });
  const ends = lines.filter((line) => line.includes("unexpectedly"));
  assert.equal(ends.length, 1);
  assert.match(
    ends[0] ?? "",
    /: code before Broker\.start\(\{ name: "first" \}\) runs in this process too, and listens on a port that is taken, move it after that call/,
  );
});

test("a program that was not read from a file is refused before anything is started", DEADLINE, async () => {
  const code = `await import(${JSON.stringify(`file://${PROGRAM}`)})`;
  const args = RUNTIME === "deno"
    ? ["eval", "--node-modules-dir=manual", "--config", join(ROOT, "deno.json"), code]
    : RUNTIME === "bun"
    ? ["-e", code]
    : ["--input-type=module", "-e", code];
  const why = "its program was not read from a file, so that no new process can run it, " +
    'put it into one or set "program" to one';
  assert.deepEqual((await printed({}, { args })).result, { rejected: `Cannot start broker "first": ${why}` });
  const { result } = await printed({ options: { program: PROGRAM } }, { args, cwd: ROOT });
  const seen = { cwd: realpathSync(ROOT), preloaded: null, release: null };
  assert.deepEqual(result, { module: seen, worker: seen });
});

for (
  const [kind, env, why] of [
    [
      "node:cluster",
      {},
      "this process is a worker of node:cluster, and a new process of its program would be the primary, " +
      'set "program" to a file that only starts the broker',
    ],
    [
      "PM2 in cluster mode",
      { pm_exec_path: PROGRAM },
      "PM2 runs this process in cluster mode, where a new process of its program does not get there, " +
      'start it in fork mode (pm2 start without -i, or exec_mode: "fork") or set "program" to its file',
    ],
  ] as const
) {
  const skip = RUNTIME === "deno" && kind !== "node:cluster" && "PM2 runs no cluster in Deno";
  test(
    `a worker of ${kind} is refused before anything is started`,
    { ...DEADLINE, skip },
    () =>
      inFolder(async (folder) => {
        const primary = join(folder, "primary.mjs");
        const own = `await import(${JSON.stringify(`file://${PROGRAM}`)})`;
        writeFileSync(
          primary,
          `import cluster from "node:cluster";\nif (cluster.isPrimary) cluster.fork();\nelse ${own};\n`,
        );
        // Deno's workers find it beside their program: they get no flags.
        writeFileSync(join(folder, "deno.json"), JSON.stringify({ imports: { brokkr: join(ROOT, "mod.ts") } }));
        const { result } = await printed({}, { args: [...RUN_FLAGS, primary], env });
        assert.deepEqual(result, { rejected: `Cannot start broker "first": ${why}` });
      }),
  );
}

test("a worker thread may start a broker, in Deno with a program only", DEADLINE, () =>
  inFolder(async (cwd) => {
    const main = join(cwd, "main.mjs");
    const url = JSON.stringify(`file://${PROGRAM}`);
    writeFileSync(main, `import { Worker } from "node:worker_threads";\nnew Worker(new URL(${url}));\n`);
    const flags = RUNTIME === "deno" ? [...RUN_FLAGS, "--config", join(ROOT, "deno.json")] : [];
    const run = { args: [...flags, main], cwd };
    const seen = { cwd, preloaded: null, release: null };
    const { result } = await printed({ options: { program: PROGRAM } }, run);
    assert.deepEqual(result, { module: seen, worker: seen });
    const why = "this is a worker, and Deno does not say which file it runs, " +
      'set "program" to a file that only starts the broker';
    assert.deepEqual(
      (await printed({}, run)).result,
      RUNTIME === "deno" ? { rejected: `Cannot start broker "first": ${why}` } : { module: seen, worker: seen },
    );
  }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
