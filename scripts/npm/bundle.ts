/**
 * The code of the npm package in few files: each file that a new process reads costs it 0.3 to 0.5 ms of processor time. One file has
 * what `import "brokkr"` loads, one what every process of a module loads beside it. The rest is apart where it is imported where it is
 * used, so a process loads its own side and its own runtime's files only.
 */

import { dirname, join, normalize, relative } from "node:path";
import { files } from "../build_npm.ts";
import { VERSION } from "../../src/core/version.ts";
import { BUN, run } from "../command.ts";

const FLAGS = [
  "--target=node",
  "--format=esm",
  "--packages=external",
  // What the command line hands to a user's module has the names of the library, not those that Bun gives.
  "--external=*/../mod.js",
  // What another step writes.
  "--external=./brokkr-*",
  // By their names the library knows its own files, whose frames are dropped from logged stacks.
  "--entry-naming=brokkr-[name].js",
  "--chunk-naming=brokkr-part-[hash].js",
];

/** The command line's first step. */
const MAIN = "src/cli/main.js";
/** Files of the package that stay where they are, whoever imports them. */
const ENTRIES = ["mod.js", "nats.js", "testing.js", MAIN];
/** What a module's process is made of. */
const SERVE = "src/core/child/serve.js";
const RUNTIMES = ["deno", "node", "bun"].map((name) => `src/runtime/${name}/index.js`);

const STATIC = /^(?:import|export)\s*(?:[^"';]*?\bfrom\s*)?"(\.[^"]+)";/gm;
const DYNAMIC = /\bimport\("(\.[^"]+)"\)/g;
const DECLARED = /^export (?:async )?(?:function\*?|class|const|let) ([\w$]+)/gm;
const LISTED = /^export (?:const )?\{([^}]*)\}/gm;

/** Puts all that mod.js and cli.js reach into files in lib/. Gives what went wrong, empty when nothing did. */
export async function bundleLibrary(folder: string): Promise<string> {
  const sources = await readSources(folder);
  const groups = groupsOf(sources);
  const known = new Map([...groups].flatMap(([name, paths]) => [...paths].map((path) => [path, name])));
  const later = await nameDynamicImports(folder, sources, known);
  for (const name of ["deno", "node", "bun"]) {
    const failed = await bundleQuick(folder, name);
    if (failed !== "") return failed;
  }
  for (const [name, paths] of groups) {
    const failed = await bundleGroup({ folder, sources, later }, name, paths);
    if (failed !== "") return failed;
  }
  const rest = [...later].filter((path) => !known.has(path));
  return await bundleRest(folder, [...rest, MAIN]) || await writeEntries(folder, sources);
}

/** What is one file each, by its name. A file is in the first group that it is a part of. */
function groupsOf(sources: Sources): Map<string, Set<string>> {
  const [deno, node, bun] = RUNTIMES.map((path) => closure(sources, path));
  if (deno === undefined || node === undefined || bun === undefined) throw new Error("Cannot bundle: no runtimes");
  const builtins = new Set([...node].filter((path) => bun.has(path)));
  const posix = new Set([...builtins].filter((path) => deno.has(path)));
  const library = closure(sources, "mod.js");
  library.delete("mod.js");
  const groups = Object.entries({ library, process: union(closure(sources, SERVE), posix), builtins, node, bun, deno });
  const taken = new Set<string>();
  return new Map(groups.map(([name, paths]) => {
    const own = new Set([...paths].filter((path) => !taken.has(path)));
    for (const path of own) taken.add(path);
    return [name, own];
  }));
}

function union(one: ReadonlySet<string>, other: ReadonlySet<string>): Set<string> {
  return new Set([...one, ...other]);
}

/** Code by its path in the package. */
type Sources = Map<string, string>;

async function readSources(folder: string): Promise<Sources> {
  const sources: Sources = new Map();
  for await (const path of files(folder, ".js")) sources.set(relative(folder, path), await Deno.readTextFile(path));
  return sources;
}

/** What `entry` loads at its start, itself included. */
function closure(sources: Sources, entry: string, reached: Set<string> = new Set()): Set<string> {
  const code = sources.get(entry);
  if (code === undefined || reached.has(entry)) return reached;
  reached.add(entry);
  for (const [, to = ""] of code.matchAll(STATIC)) closure(sources, resolve(entry, to), reached);
  return reached;
}

function resolve(from: string, to: string): string {
  return normalize(join(dirname(from), to));
}

/** Names, where a file is imported where it is used, the file that it will be in. Returns the files that are. */
async function nameDynamicImports(
  folder: string,
  sources: Sources,
  known: ReadonlyMap<string, string>,
): Promise<Set<string>> {
  const later = new Set<string>();
  for (const [path, code] of sources) {
    const named = code.replaceAll(DYNAMIC, (whole, to: string) => {
      const target = resolve(path, to);
      if (!sources.has(target) || ENTRIES.includes(target)) return whole;
      later.add(target);
      return `import("./brokkr-${known.get(target) ?? flatName(target)}.js")`;
    });
    sources.set(path, named);
    await Deno.writeTextFile(join(folder, path), named);
  }
  return later;
}

/** `src/core/broker/broker.js` is `core_broker_broker`. */
function flatName(path: string): string {
  return path.replace(/^src\//, "").replace(/\.js$/, "").replaceAll(/[/-]/g, "_");
}

interface Bundling {
  readonly folder: string;
  readonly sources: Sources;
  /** What is imported where it is used. */
  readonly later: ReadonlySet<string>;
}

/** One file of all that a command needs which only asks a running broker: it shares nothing with the others, so nothing else is read. */
async function bundleQuick(folder: string, runtime: string): Promise<string> {
  const entry = join(folder, `quick_${runtime}.js`);
  const parts = ["cli/quick", `runtime/${runtime}/asking`].map((part) => `export * from "./src/${part}.js";\n`);
  await Deno.writeTextFile(entry, parts.join(""));
  const failed = await bun([entry], join(folder, "lib"), ["--minify"]);
  await Deno.remove(entry);
  return failed;
}

/** One file of all that `paths` have; from then on each of them only hands on what it has there. */
async function bundleGroup(
  { folder, sources, later }: Bundling,
  name: string,
  paths: ReadonlySet<string>,
): Promise<string> {
  // A name of its own for each: Bun renames a class that is exported by its own name, and the name is what errors show.
  const exported = (path: string) =>
    namesIn(sources.get(path) ?? "").map((name) => [name, `${flatName(path)}$${name}`]);
  const lines = [...paths].map((path) => reExport(exported(path), `./${path}`));
  // What is imported where it is used is asked for by the names that it has in the sources.
  for (const path of paths) {
    if (later.has(path)) lines.push(reExport(namesIn(sources.get(path) ?? "").map((name) => [name]), `./${path}`));
  }
  const entry = await writeEntry(folder, name, lines);
  const failed = await bun([entry], join(folder, "lib"), []);
  await Deno.remove(entry);
  for (const path of paths) {
    const handed = exported(path).map(([name = "", own = ""]) => [own, name]);
    await Deno.writeTextFile(join(folder, path), `${reExport(handed, `./brokkr-${name}.js`)}\n`);
  }
  return failed;
}

function reExport(names: readonly string[][], from: string): string {
  return names.length === 0
    ? `import "${from}";`
    : `export { ${names.map((pair) => pair.join(" as ")).join(", ")} } from "${from}";`;
}

function namesIn(code: string): string[] {
  const declared = [...code.matchAll(DECLARED)].map(([, name = ""]) => name);
  const listed = [...code.matchAll(LISTED)].flatMap(([, list = ""]) => list.split(","));
  return [...declared, ...listed.map((name) => name.trim().replace(/^.* as /, ""))].filter((name) => name !== "");
}

/** Everything else, each of `paths` in a file of its name, and what several of them share in files beside them. */
async function bundleRest(folder: string, paths: readonly string[]): Promise<string> {
  const entries: string[] = [];
  for (const path of paths) {
    entries.push(await writeEntry(folder, path === MAIN ? "main" : flatName(path), [`export * from "./${path}";`]));
  }
  const failed = await bun(entries, join(folder, "lib"), ["--splitting"]);
  for (const entry of entries) await Deno.remove(entry);
  return failed;
}

/** What a file of lib/ is made from, beside the package's own files. @throws {Error} where one of that name is there. */
async function writeEntry(folder: string, name: string, lines: readonly string[]): Promise<string> {
  const entry = join(folder, `${name}.js`);
  for (const path of [entry, join(folder, "lib", `brokkr-${name}.js`)]) {
    if (await isThere(path)) throw new Error(`Cannot bundle: ${path} would be written twice, rename a file of src`);
  }
  await Deno.writeTextFile(entry, `${lines.join("\n")}\n`);
  return entry;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function bun(entries: readonly string[], out: string, flags: readonly string[]): Promise<string> {
  const { code, output } = await run([BUN, "build", ...entries, ...FLAGS, ...flags, "--outdir", out]);
  return code === 0 ? "" : `Cannot bundle the library: bun ended with exit code ${code}\n${output}`;
}

async function writeEntries(folder: string, sources: Sources): Promise<string> {
  const lib = join(folder, "lib");
  for await (const { name } of Deno.readDir(lib)) await rewrite(join(lib, name), '"../../mod.js"', '"../mod.js"');
  // Which names what is public.
  const library = sources.get("mod.js") ?? "";
  const mod = library.replaceAll(
    /^export \{([^}]*)\} from "\.\/([^"]+)";/gm,
    (_, list: string, path: string) => {
      const names = list.split(",").map((name) => name.trim()).filter((name) => name !== "");
      return reExport(names.map((name) => [`${flatName(path)}$${name}`, name]), "./lib/brokkr-library.js");
    },
  );
  await Deno.writeTextFile(join(folder, "mod.js"), mod);
  const cli = join(folder, "cli.js");
  await rewrite(cli, /var __rewrite[\s\S]*?\n};\n/g, "");
  await rewrite(cli, "__rewriteRelativeImportExtension", "");
  await rewrite(cli, /import\([^;]*\/quick\.ts"[^;]*/g, "loadAsking()");
  await rewrite(cli, /"\.\/src\/runtime\/(\w+)\/asking\.ts"/g, '"./lib/brokkr-quick_$1.js"');
  await rewrite(cli, '"./src/cli/main.ts"', '"./lib/brokkr-main.js"');
  await rewrite(cli, 'import { VERSION } from "./src/core/version.js";', `const VERSION = "${VERSION}";`);
  const oldest = sources.get("src/runtime/oldest.js")?.replaceAll(/^export /gm, "") ?? "";
  await rewrite(cli, 'import { isOlder, OLDEST } from "./src/runtime/oldest.js";\n', oldest);
  return "";
}

async function rewrite(path: string, from: string | RegExp, to: string): Promise<void> {
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replaceAll(from, to));
}
