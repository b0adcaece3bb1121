/** The library of the npm package in few files: each file that a new process reads costs it 0.1 to 0.3 ms of processor time. */

import { join } from "node:path";
import { ROOT, run } from "../command.ts";

const BUN = join(ROOT, "node_modules/bun/bin/bun.exe");
const FLAGS = [
  "--target=node",
  "--format=esm",
  // What is imported where it is used stays apart: a process loads its own side and its own runtime's files only.
  "--splitting",
  "--sourcemap=linked",
  // By their names the library knows its own files, whose frames are dropped from logged stacks.
  "--entry-naming=brokkr-[name].js",
  "--chunk-naming=brokkr-[name]-[hash].js",
];

const EXPORTS = /^export \{([^}]*)\} from/gm;

/** Puts what mod.js reaches into files in lib/, and that in place of it. Gives what went wrong, empty when nothing did. */
export async function bundleLibrary(folder: string): Promise<string> {
  const entry = join(folder, "mod.js");
  const names: string[] = [];
  // Bun renames a class that is exported by its own name, and the name is what errors show.
  const prefixed = (await Deno.readTextFile(entry)).replaceAll(EXPORTS, (_, list: string) => {
    const own = list.split(",").map((name) => name.trim()).filter((name) => name !== "");
    names.push(...own);
    return `export { ${own.map((name) => `${name} as $${name}`).join(", ")} } from`;
  });
  await Deno.writeTextFile(entry, prefixed);
  const { code, output } = await run([BUN, "build", entry, ...FLAGS, "--outdir", join(folder, "lib")]);
  if (code !== 0) return `Cannot bundle the library: bun ended with exit code ${code}\n${output}`;
  const list = names.map((name) => `$${name} as ${name}`).join(", ");
  await Deno.writeTextFile(entry, `export { ${list} } from "./lib/brokkr-mod.js";\n`);
  await Deno.remove(`${entry}.map`);
  return "";
}
