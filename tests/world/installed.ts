/** Programs of others, from the npm registry, and brokkr as they see it. */

import { join } from "node:path";
import { buildNpm, exists } from "../../scripts/build_npm.ts";
import { type CommandResult, ROOT, run } from "../../scripts/command.ts";

const WORLD = join(ROOT, "build/world");
const DEADLINE_MS = 4 * 60_000;

/** The executable `bin` of a package such as `bun@1.3.14`, which is got once. Packages with a space between are got together. */
export async function installed(specifier: string, bin: string): Promise<string> {
  const folder = join(WORLD, specifier.replaceAll(" ", "+"));
  const file = join(folder, "node_modules/.bin", bin);
  if (await exists(join(folder, "complete"))) return file;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "package.json"), '{ "private": true }\n');
  const command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", ...specifier.split(" ")];
  const { code, output } = await run(command, { cwd: folder, deadlineMs: DEADLINE_MS });
  if (code !== 0) throw new Error(`Cannot get ${specifier}: npm ended with exit code ${code}\n${output}`);
  await Deno.writeTextFile(join(folder, "complete"), "");
  return file;
}

/** A folder with `files` in it, where `brokkr` is the npm package for Node and Bun, and the sources for Deno. */
export async function projectOf(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(WORLD, name);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  const messages = await buildNpm(join(folder, "node_modules/brokkr"));
  if (messages !== "") throw new Error(`Cannot build the npm package: ${messages}`);
  const dependencies = join(ROOT, "node_modules");
  await Deno.symlink(join(dependencies, "jsonc-parser"), join(folder, "node_modules/jsonc-parser"));
  const imports = { imports: { brokkr: join(ROOT, "mod.ts") }, nodeModulesDir: "manual" };
  const all = { ...files, "package.json": '{ "type": "module" }\n', "deno.json": JSON.stringify(imports) };
  for (const [file, text] of Object.entries(all)) await Deno.writeTextFile(join(folder, file), text);
  return folder;
}

/** Runs a command in `cwd` to its end, outside of the suite's own settings. */
export async function result(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  deadlineMs = 60_000,
): Promise<CommandResult> {
  return await run(command, { cwd, env, deadlineMs });
}
