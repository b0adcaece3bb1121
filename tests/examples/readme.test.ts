import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ROOT, run, runtimeName, temporaryFolder } from "./command.ts";

const skip = runtimeName === "node"
  ? "Node 20 cannot run the README's TypeScript; its JavaScript is in getting-started"
  : false;

test("the README's program runs as it stands there", { skip }, async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  const program = /^```ts\n(\/\/ main\.ts\n.*?)^```$/ms.exec(readme)?.[1];
  assert.ok(program !== undefined, "README.md has no program main.ts");
  await using temporary = await temporaryFolder();
  const main = join(temporary.path, "main.ts");
  await writeFile(main, program);
  await writeFile(join(temporary.path, "deno.json"), JSON.stringify({ imports: { brokkr: join(ROOT, "mod.ts") } }));
  if (runtimeName === "bun") {
    await mkdir(join(temporary.path, "node_modules"));
    await symlink(join(ROOT, "npm"), join(temporary.path, "node_modules/brokkr"));
  }
  const flags = runtimeName === "deno" ? ["run", "-A"] : [];
  const { code, stdout, stderr } = await run([process.execPath, ...flags, main], { cwd: temporary.path });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\{\s*up: 0\.99,?\s*\}\n\[\s*1, 4, 9\s*\]\n$/);
});
