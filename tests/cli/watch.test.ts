import assert from "node:assert/strict";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { importedFiles, watchFiles } from "../../src/cli/watch_files.ts";
import { ManualClock, settle } from "../core/manual_clock.ts";
import { brokerConfig, ending, inSandbox, type Sandbox } from "./cli_process.ts";

function write(sandbox: Sandbox, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(sandbox.folder, name), text);
}

/** A file that is there and can't be read, on Linux. */
const UNREADABLE = "/proc/self/mem";

const MODULE = (name: string, value: string) =>
  `import { value } from "./${value}.mjs";\nexport default { name: "${name}", commands: { get: () => value } };\n`;

test("brokkr run --watch reloads the module whose file, or import, has changed, with one line, and no other", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, {
      "one.mjs": MODULE("one", "first"),
      "two.mjs": MODULE("two", "second"),
      "first.mjs": 'export const value = "old";\n',
      "second.mjs": 'export const value = "two";\n',
      "brokkr.json": '{ "name": "w", "modules": { "one": { "path": "one.mjs" }, "two": { "path": "two.mjs" } } }',
    });
    const broker = await sandbox.broker(["run", "--watch"]);
    const get = async (module: string) => (await sandbox.run(["call", module, "get"])).stdout;
    const reloads = () => broker.stderr.match(/\w+ is reloaded, since its files have changed: .*/g);
    assert.equal(await get("one"), "old\n");
    // As editors do.
    write(sandbox, { "first.mjs~": 'export const value = "new";\n' });
    renameSync(join(sandbox.folder, "first.mjs~"), join(sandbox.folder, "first.mjs"));
    await broker.printed("stderr", "one was replaced");
    assert.equal(await get("one"), "new\n");
    assert.deepEqual(reloads(), ["one is reloaded, since its files have changed: first.mjs"]);
    // A file with a fault leaves the old process, and its mending is seen too.
    write(sandbox, { "one.mjs": "export const x = 1;\nexport const y = = 2;\n" });
    await broker.printed("stderr", "one could not be replaced and goes on");
    assert.match(broker.stderr, /goes on \(pid \d+\): start of the module failed: one\.mjs:2:18: /);
    assert.equal(await get("one"), "new\n");
    write(sandbox, { "one.mjs": MODULE("one", "second") });
    await broker.printed("stderr", "one was replaced", 2);
    assert.equal(await get("one"), "two\n");
    // Now both import it.
    write(sandbox, { "second.mjs": 'export const value = "both";\n' });
    await broker.printed("stderr", "two was replaced");
    await broker.printed("stderr", "one was replaced", 3);
    assert.deepEqual([await get("one"), await get("two")], ["both\n", "both\n"]);
    assert.equal(reloads()?.length, 5);
    write(sandbox, { "brokkr.json": '{ "name": "w", "modules": { "one": { "path": "one.mjs" } } }' });
    await broker.printed("stderr", "The configuration is in force");
    assert.equal((await sandbox.run(["call", "two", "get"])).code, 4);
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));

test("brokkr run --watch refuses a program, and says what watches it", () =>
  inSandbox(async (sandbox) => {
    const { code, stderr } = await sandbox.run([
      "run",
      brokerConfig.replace("broker/brokkr.json", `program${ending}`),
      "--watch",
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot run ".*" with --watch: it is for a configuration, .* "node --watch", /);
  }));

test("importedFiles() follows relative imports of any kind, once each, and leaves packages alone", () =>
  inSandbox((sandbox) => {
    mkdirSync(join(sandbox.folder, "lib"));
    write(sandbox, {
      "main.ts":
        'import a, { b } from "./a.js";\nexport * from \'./lib\';\nimport "brokkr";\nimport x from "./none.js";\nimport "./unreadable.js";\n',
      "a.ts": 'const c = await import("./c.mjs");\nimport "./main.ts";\n',
      "c.mjs": 'const d = require("./d");\nimport data from "./data.json" with { type: "json" };\n',
      "d.cjs": "// import './nothing.ts'\n",
      "data.json": '{ "from": "./e.js" }',
      // A pattern that could share the spaces out in two ways would take minutes.
      "e.js": `from${" ".repeat(200_000)}`,
      "lib/index.ts": 'export type { T } from "../e.js";\n',
    });
    // As one is that is replaced between a look at it and its reading.
    symlinkSync(UNREADABLE, join(sandbox.folder, "unreadable.js"));
    const found = importedFiles(join(sandbox.folder, "main.ts"));
    const names = found.map((path) => path.slice(sandbox.folder.length + 1)).sort();
    const all = ["a.ts", "c.mjs", "d.cjs", "data.json", "e.js", "lib/index.ts", "main.ts"];
    assert.deepEqual(names, existsSync(UNREADABLE) ? [...all, "unreadable.js"] : all);
    // One that is being replaced, or not written yet, is seen when it is there.
    const missing = importedFiles(join(sandbox.folder, "main.ts"), { missing: true }).filter((path) =>
      !found.includes(path)
    );
    assert.deepEqual(missing.slice(0, 2), ["none.js", "none.ts"].map((name) => join(sandbox.folder, name)));
    return Promise.resolve();
  }));

/** Watches one file of module "a" on a clock of its own. */
function watching(path: string) {
  const clock = new ManualClock();
  const leave = new AbortController();
  const told: string[] = [];
  const done = watchFiles({
    clock,
    files: () => new Map([["a", [path]]]),
    changed: (name, files) => Promise.resolve(void told.push(`${name}: ${files.length}`)),
    signal: leave.signal,
  });
  const look = async () => {
    clock.advance(250);
    await settle();
  };
  const end = async () => {
    leave.abort();
    await look();
    await done;
  };
  return { told, look, end };
}

test("watchFiles() tells that a file has come that was not there when it began", () =>
  inSandbox(async (sandbox) => {
    const { told, look, end } = watching(join(sandbox.folder, "late.mjs"));
    await look();
    write(sandbox, { "late.mjs": "1" });
    await look();
    await look();
    assert.deepEqual(told, ["a: 1"]);
    await end();
  }));

test("watchFiles() tells a change when no other one has followed, and not that a file is gone for a while", () =>
  inSandbox(async (sandbox) => {
    const path = join(sandbox.folder, "a.mjs");
    write(sandbox, { "a.mjs": "1" });
    const { told, look, end } = watching(path);
    await look();
    for (const text of ["12", "123", "1234"]) {
      write(sandbox, { "a.mjs": text });
      await look();
      assert.deepEqual(told, []);
    }
    await look();
    assert.deepEqual(told, ["a: 1"]);
    rmSync(path);
    await look();
    // Where a file has the name of its folder for a while, the system says so by another error.
    renameSync(sandbox.folder, `${sandbox.folder}~`);
    writeFileSync(sandbox.folder, "");
    await look();
    rmSync(sandbox.folder);
    renameSync(`${sandbox.folder}~`, sandbox.folder);
    assert.deepEqual(told, ["a: 1"]);
    write(sandbox, { "a.mjs": "another" });
    await look();
    await look();
    assert.deepEqual(told, ["a: 1", "a: 1"]);
    await end();
  }));
