/** Writes the npm package: the code of mod.ts and cli.ts in few files, the declarations of mod.ts, and the files npm wants. */

import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { manPage } from "../src/cli/help.ts";
import { VERSION } from "../src/core/version.ts";
import { ROOT } from "./command.ts";
import { bundleLibrary } from "./npm/bundle.ts";
import { packageJson, REPOSITORY } from "./npm/package_json.ts";
import { packageReadme } from "./npm/readme.ts";
import { tsc } from "./tsc.ts";

const COMMENT = /\/\*[\s\S]*?\*\//g;
const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

/** Builds the package in `folder`, which is emptied first; gives the compiler's messages, empty when there are none. */
export async function buildNpm(folder: string): Promise<string> {
  await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(folder, { recursive: true });
  const cli = join(folder, "cli.js");
  const messages = await tsc("scripts/tsconfig.npm.json", "--outDir", folder);
  if (messages !== "" && !await exists(cli)) return messages;

  for await (const file of files(folder, ".d.ts")) {
    await Deno.writeTextFile(file, withoutTsPaths(await Deno.readTextFile(file)));
  }
  await Deno.writeTextFile(cli, asProgram(await Deno.readTextFile(cli)));
  await Deno.chmod(cli, 0o755);
  const unbundled = await bundleLibrary(folder);
  await removeUnused(folder);
  const { text, messages: missing } = await packageJson(folder);
  await Deno.writeTextFile(join(folder, "package.json"), text);
  await Deno.writeTextFile(join(folder, "brokkr.1"), manPage());
  const readme = packageReadme(await Deno.readTextFile(join(ROOT, "README.md")), REPOSITORY, VERSION);
  await Deno.writeTextFile(join(folder, "README.md"), readme);
  for (const name of ["LICENSE", "CHANGELOG.md"]) {
    await Deno.copyFile(join(ROOT, name), join(folder, name)).catch(ignoreMissing);
  }
  if (await exists(join(ROOT, "schema"))) await cp(join(ROOT, "schema"), join(folder, "schema"), { recursive: true });
  return `${messages}\n${unbundled}\n${missing}`.trim();
}

/** All files below `folder` whose name ends with `ending`. */
export async function* files(folder: string, ending: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* files(path, ending);
    else if (entry.isFile && entry.name.endsWith(ending)) yield path;
  }
}

/** The bundle holds the code, and `mod.d.ts` the types that others see: of what was compiled they need no more. */
async function removeUnused(folder: string): Promise<void> {
  const types = new Set<string>();
  const visit = async (path: string) => {
    if (types.has(path)) return;
    types.add(path);
    const declarations = (await Deno.readTextFile(path)).replaceAll(COMMENT, "");
    for (const [, to = ""] of declarations.matchAll(RELATIVE_IMPORT)) {
      await visit(join(dirname(path), to.replace(/\.js$/, ".d.ts")));
    }
  };
  for (const entry of ["mod.d.ts", "nats.d.ts", "testing.d.ts"]) await visit(join(folder, entry));
  for await (const path of files(join(folder, "src"), "")) {
    if (!types.has(path)) await Deno.remove(path);
  }
  await Deno.remove(join(folder, "cli.d.ts"));
}

/** tsc rewrites the extension of imports in JavaScript, and not in declarations. */
function withoutTsPaths(declarations: string): string {
  return declarations.replaceAll(/((?:\bfrom|\bimport)\s*\(?\s*)"(\.[^"]*?)\.ts"/g, '$1"$2.js"');
}

function asProgram(javascript: string): string {
  return "#!/usr/bin/env node\n" + javascript.replace(/^#!.*\n/, "");
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) {
  const messages = await buildNpm(join(ROOT, "npm"));
  if (messages !== "") {
    console.error(`${messages}\nCannot build npm/: see above`);
    Deno.exit(1);
  }
  console.log("Wrote npm/");
}
