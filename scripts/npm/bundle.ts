/**
 * The library of the npm package in few files, and with it what a process of `brokkr run` loads: each file that a new process reads
 * costs it 0.1 to 0.5 ms of processor time.
 */

import { join } from "node:path";
import { BUN, run } from "../command.ts";

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

/** The binary's first step, which both of its sides take. */
const MAIN = "src/cli/main.js";
/** What it loads that stays as it is, by what stands in `MAIN` and in the bundle. */
const OUTSIDE = new Map([
  ["./command_line.js", "../src/cli/command_line.js"],
  ["./demo.js", "../src/cli/demo.js"],
  ["../../mod.js", "../mod.js"],
]);

/** Puts what mod.js and a process of `brokkr run` reach into files in lib/, and that in place of it. Gives what went wrong, empty when nothing did. */
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
  const lib = join(folder, "lib");
  // By their beginning Bun would take them for paths from here.
  const outside = [...OUTSIDE.keys()].flatMap((file) => ["--external", file.replace(/^\.+/, "*")]);
  const { code, output } = await run([BUN, "build", entry, join(folder, MAIN), ...FLAGS, ...outside, "--outdir", lib]);
  if (code !== 0) return `Cannot bundle the library: bun ended with exit code ${code}\n${output}`;
  const list = names.map((name) => `$${name} as ${name}`).join(", ");
  await Deno.writeTextFile(entry, `export { ${list} } from "./lib/brokkr-mod.js";\n`);
  for await (const { name } of Deno.readDir(lib)) {
    if (name.endsWith(".js")) await rewrite(join(lib, name), importedFromLib);
  }
  await rewrite(join(folder, "cli.js"), (text) => text.replace(`"./${MAIN}"`, '"./lib/brokkr-main.js"'));
  await Deno.remove(`${entry}.map`);
  return "";
}

function importedFromLib(text: string): string {
  return text.replaceAll(/\bimport\("([^"]+)"\)/g, (whole, file: string) => {
    const outside = OUTSIDE.get(file);
    return outside === undefined ? whole : `import("${outside}")`;
  });
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
}
