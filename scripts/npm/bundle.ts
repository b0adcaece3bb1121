/**
 * The code of the npm package in few files: each file that a new process reads costs it 0.1 to 0.5 ms of processor time. What is
 * imported where it is used stays apart, so a process loads its own side and its own runtime's files only.
 */

import { join } from "node:path";
import { BUN, run } from "../command.ts";

const FLAGS = [
  "--target=node",
  "--format=esm",
  "--splitting",
  "--packages=external",
  // What the command line hands to a user's module has the names of the library, not those that Bun gives.
  "--external=*/../mod.js",
  // By their names the library knows its own files, whose frames are dropped from logged stacks.
  "--entry-naming=brokkr-[name].js",
  "--chunk-naming=brokkr-[name]-[hash].js",
];

const EXPORTS = /^export \{([^}]*)\} from/gm;

/** The command line's first step. */
const MAIN = "src/cli/main.js";

/** Puts all that mod.js and cli.js reach into files in lib/. Gives what went wrong, empty when nothing did. */
export async function bundleLibrary(folder: string): Promise<string> {
  const [mod, entry] = [join(folder, "mod.js"), join(folder, "library.js")];
  const names: string[] = [];
  // Bun renames a class that is exported by its own name, and the name is what errors show.
  const prefixed = (await Deno.readTextFile(mod)).replaceAll(EXPORTS, (_, list: string) => {
    const own = list.split(",").map((name) => name.trim()).filter((name) => name !== "");
    names.push(...own);
    return `export { ${own.map((name) => `${name} as $${name}`).join(", ")} } from`;
  });
  await Deno.writeTextFile(entry, prefixed);
  const command = [BUN, "build", entry, join(folder, MAIN), ...FLAGS, "--outdir", join(folder, "lib")];
  const { code, output } = await run(command);
  if (code !== 0) return `Cannot bundle the library: bun ended with exit code ${code}\n${output}`;
  const lib = join(folder, "lib");
  for await (const { name } of Deno.readDir(lib)) await rewrite(join(lib, name), '"../../mod.js"', '"../mod.js"');
  const list = names.map((name) => `$${name} as ${name}`).join(", ");
  await Deno.remove(entry);
  await Deno.writeTextFile(mod, `export { ${list} } from "./lib/brokkr-library.js";\n`);
  await rewrite(join(folder, "cli.js"), `"./${MAIN}"`, '"./lib/brokkr-main.js"');
  return "";
}

async function rewrite(path: string, from: string, to: string): Promise<void> {
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replaceAll(from, to));
}
