import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { installed, projectOf, result } from "./installed.ts";

const DEADLINE = { timeout: 5 * 60_000 };
const WAIT_MS = 40_000;

const folder = await projectOf("pm2", {
  "main.mjs": `import { Broker, defineModule } from "brokkr";
const hello = defineModule({ name: "hello", commands: { greet: (name) => \`Hello \${name}\` } });
const program = process.env.OWN_PROGRAM;
try {
  const broker = await Broker.start({ name: "b", modules: [hello], ...(program ? { program } : {}) });
  console.log(await broker.call("hello", "greet", ["world"], { timeoutMs: 30_000 }));
} catch (error) {
  console.log(error.message);
}
setInterval(() => {}, 1_000);
`,
});

/** What the program prints first under PM2, and all that it has logged by then. */
async function underPm2(flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const pm2 = await installed("pm2@6.0.14", "pm2");
  const home = await Deno.makeTempDir({ prefix: "brokkr-pm2-" });
  const own = { ...env, PM2_HOME: home };
  const log = (name: string) => Deno.readTextFile(join(home, name)).catch(() => "");
  try {
    const files = ["--output", join(home, "out"), "--error", join(home, "err"), "--merge-logs"];
    const started = await result([pm2, "start", "main.mjs", ...files, ...flags], folder, own);
    assert.equal(started.code, 0, started.output);
    const deadline = performance.now() + WAIT_MS;
    while (!(await log("out")).includes("\n") && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return { out: (await log("out")).trim(), lines: (await log("err")).split("\n").filter((line) => line !== "") };
  } finally {
    await result([pm2, "kill"], folder, own);
    await Deno.remove(home, { recursive: true });
  }
}

test("PM2 in fork mode runs a broker and its modules", DEADLINE, async () => {
  const { out, lines } = await underPm2([]);
  assert.equal(out, "Hello world");
  assert.equal(lines.filter((line) => / (WARNING|ERROR|FATAL) /.test(line)).join("\n"), "");
});

test("PM2 in cluster mode: one line says what to do, and nothing is started", DEADLINE, async () => {
  const { out, lines } = await underPm2(["-i", "1"]);
  assert.equal(
    out,
    'Cannot start broker "b": PM2 runs this process in cluster mode, where a new process of its program does not get there, ' +
      'start it in fork mode (pm2 start without -i, or exec_mode: "fork") or set "program" to its file',
  );
  assert.deepEqual(lines, []);
});

test("PM2 in cluster mode runs a broker whose program is named", DEADLINE, async () => {
  const { out } = await underPm2(["-i", "1"], { OWN_PROGRAM: join(folder, "main.mjs") });
  assert.equal(out, "Hello world");
});
