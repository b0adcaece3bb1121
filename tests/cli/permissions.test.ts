import assert from "node:assert/strict";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inSandbox, type Sandbox } from "./cli_process.ts";

const isDeno = "Deno" in globalThis;
const skip = isDeno ? false : "only Deno can give a process fewer rights";

test(
  "brokkr run holds a module to its permissions, whose paths are relative to the configuration",
  { skip },
  () =>
    inSandbox(async (sandbox) => {
      write(sandbox, { permissions: { net: [], read: ["data"] }, cwd: "/" });
      await sandbox.broker(["run"]);
      const file = join(realpathSync(sandbox.folder), "data/a.txt");
      assert.equal((await sandbox.run(["call", "reader", "read", file])).stdout, "readable\n");
      const refused = await sandbox.run(["call", "reader", "read", "/etc/hostname", "--json"]);
      assert.equal(refused.code, 1);
      assert.equal(JSON.parse(refused.stdout).error.remoteName, "NotCapable");
    }),
);

test("brokkr run names the right that a module's file lacks", { skip }, () =>
  inSandbox(async (sandbox) => {
    write(sandbox, { permissions: { net: [] }, path: "importer.mjs" });
    const broker = sandbox.start(["run"]);
    await broker.printed("stderr", "The broker is ready");
    assert.match(broker.stderr, /Requires read access to ".*\/reader\.mjs"/);
    const { modules } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
    assert.equal(modules[0].state, "failed");
  }));

test("brokkr run fails a module with permissions whose file has workers", { skip }, () =>
  inSandbox(async (sandbox) => {
    write(sandbox, { permissions: { net: [] }, path: "workers.mjs" });
    const broker = sandbox.start(["run"]);
    await broker.printed("stderr", "The broker is ready");
    assert.match(
      broker.stderr,
      /Cannot serve module "reader": its permissions are not possible with workers, because a process /,
    );
  }));

test("brokkr check refuses permissions that could not be kept, at their place", () =>
  inSandbox(async (sandbox) => {
    write(sandbox, { permissions: { net: true, reed: [] }, workers: 1 });
    const { code, stderr } = await sandbox.run(["check"]);
    assert.equal(code, 2);
    const why = isDeno
      ? "are not possible with workers, because a process that starts workers may run Deno with every permission: " +
        "remove one of the two, or move the code to sandbox into a module without workers"
      : `are not possible, because ${"Bun" in globalThis ? "Bun" : "Node"} VERSION cannot restrict a process: ` +
        "remove them, or start with Deno";
    assert.equal(
      stderr.replace(/ [\d.]+ cannot/, " VERSION cannot"),
      `brokkr.json:6:22: modules.reader.permissions ${why}\n` +
        'brokkr.json:8:9: unknown key "reed": did you mean "read"\n',
    );
  }));

function write(sandbox: Sandbox, settings: Record<string, unknown>): void {
  const { folder } = sandbox;
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data/a.txt"), "readable");
  writeFileSync(
    join(folder, "reader.mjs"),
    'import { readFileSync } from "node:fs";\n' +
      'export default { name: "reader", commands: { read: (path) => readFileSync(path, "utf8") } };\n',
  );
  writeFileSync(join(folder, "importer.mjs"), 'export { default } from "./reader.mjs";\n');
  const workers = "export default { name: 'reader', workers: { count: 1, commands: {} } };\n";
  writeFileSync(join(folder, "workers.mjs"), workers);
  const reader = { path: "reader.mjs", ...settings };
  writeFileSync(join(folder, "brokkr.json"), JSON.stringify({ name: "b", modules: { reader } }, null, 2));
}
