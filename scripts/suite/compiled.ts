/** The suite as Node and Bun run it: JavaScript beside the built package, in the same places as the sources. */

import { dirname, join, relative } from "node:path";
import { buildNpm, exists, files } from "../build_npm.ts";
import { DEV, ROOT } from "../command.ts";
import { tsc } from "../tsc.ts";

export interface CompiledSuite {
  readonly folder: string;
  /** The compiler's messages; empty when there are none. */
  readonly messages: string;
}

const COMPILED = ["tests", "examples"];
const PACKAGE = ["mod.js", "nats.js", "testing.js", "cli.js"];
const NOT_LINKED = [
  ...COMPILED,
  "src",
  "mod.ts",
  "testing.ts",
  "nats.ts",
  "cli.ts",
  "npm",
  "build",
  "dist",
  "node_modules",
  "scripts",
  "bench",
];

/** Compiles into the first folder build/suite-N that no other run of the suite uses now. */
export async function compileSuite(): Promise<CompiledSuite & Disposable> {
  const { folder, lock } = await freeFolder();
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  const npm = join(folder, "npm");
  const built = await buildNpm(npm);
  const compiled = await tsc("scripts/tsconfig.tests.json", "--outDir", folder);

  for (const name of PACKAGE) {
    if (!await exists(join(npm, name))) continue; // the messages tell why
    await Deno.remove(join(folder, name)).catch(() => {});
    await Deno.writeTextFile(join(folder, name), `export * from "./npm/${name}";\n`);
  }
  await linkPackages(join(DEV, "node_modules"), join(folder, "node_modules"));
  // What those packages import: Node takes links for what they are here, and finds nothing beside their targets.
  await linkPackages(join(DEV, "node_modules/.deno/node_modules"), join(folder, "node_modules"));
  await Deno.symlink("../npm", join(folder, "node_modules/brokkr"));
  await Deno.writeTextFile(join(folder, "package.json"), '{ "type": "module" }\n');
  for (const name of COMPILED) await addFixtures(join(ROOT, name), join(folder, name));
  for await (const { name } of Deno.readDir(ROOT)) {
    if (!name.startsWith(".") && !NOT_LINKED.includes(name)) await Deno.symlink(join(ROOT, name), join(folder, name));
  }
  return { folder, messages: `${built}\n${compiled}`.trim(), [Symbol.dispose]: () => lock.close() };
}

/** The packages of `from`, each by itself: others join them in `to`. */
async function linkPackages(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    if (name.startsWith("@")) await linkPackages(join(from, name), join(to, name));
    else if (!name.startsWith(".")) await Deno.symlink(join(from, name), join(to, name)).catch(ignoreExisting);
  }
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
}

async function freeFolder(): Promise<{ folder: string; lock: Deno.FsFile }> {
  await Deno.mkdir(join(ROOT, "build"), { recursive: true });
  for (let n = 1;; n++) {
    const folder = join(ROOT, `build/suite-${n}`);
    const lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
    if (await lock.tryLock(true)) return { folder, lock };
    lock.close();
  }
}

/** What is no TypeScript is copied. `x.ts` becomes a link to `x.js`, so that a test finds its program by one name. */
async function addFixtures(from: string, to: string): Promise<void> {
  if (!await exists(from)) return;
  for await (const file of files(from, "")) {
    const target = join(to, relative(from, file));
    await Deno.mkdir(dirname(target), { recursive: true });
    if (file.endsWith(".ts")) await Deno.symlink(target.replace(/.*\//, "").replace(/\.ts$/, ".js"), target);
    else await Deno.copyFile(file, target);
  }
}
