import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { ROOT, run, runtimeName } from "./command.ts";

/** The folder of a built npm package. The compiled suite has one; from the sources it is built in `folder`. */
export async function builtPackage(folder: string): Promise<string> {
  if (runtimeName !== "deno") return join(ROOT, "npm");
  const builder = new URL("../../scripts/build_npm.ts", import.meta.url).href;
  const path = join(folder, "npm");
  const code = `const { buildNpm } = await import(${JSON.stringify(builder)}); ` +
    `const messages = await buildNpm(${JSON.stringify(path)}); if (messages !== "") throw new Error(messages);`;
  const config = join(ROOT, "dev/deno.json");
  const built = await run([process.execPath, "eval", "--config", config, code], { cwd: ROOT });
  assert.equal(built.code, 0, built.stderr);
  return path;
}

/** A folder with the binary in it, built beside `folder`, where the runtime of the suite can build it: in Deno. */
export async function builtBinary(folder: string): Promise<string> {
  const builder = new URL("../../scripts/compile_bun.ts", import.meta.url).href;
  const programs = join(folder, "..", "binary");
  const code = `const { compileWithBun } = await import(${JSON.stringify(builder)}); ` +
    `const wrong = await compileWithBun(${
      JSON.stringify(join(programs, "brokkr"))
    }); if (wrong !== "") throw new Error(wrong);`;
  const built = await run([process.execPath, "eval", "--config", join(ROOT, "dev/deno.json"), code], { cwd: ROOT });
  assert.equal(built.code, 0, built.stderr);
  return programs;
}
