/** The npm package as a user gets it: built, packed, and installed into an empty project, where all of it is tried. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildNpm } from "../build_npm.ts";
import { ROOT, run } from "../command.ts";
import { checkVersion } from "../compile_bun.ts";
import { tsc } from "../tsc.ts";
import { expectSuccess, type Steps } from "./steps.ts";

export async function installedPackage(
  steps: Steps,
  demo: (name: string, command: readonly string[]) => Promise<void>,
): Promise<void> {
  const npm = join(ROOT, "npm");
  // With a space, as some users' folders have one.
  const project = await Deno.makeTempDir({ prefix: "brokkr project " });
  try {
    const ready = await steps.step("the npm package is built", () => buildNpm(npm)) &&
      await steps.step("npm installs the package into an empty project", () => install(npm, project));
    if (!ready) return;
    const names = Object.keys(await import(pathToFileURL(join(ROOT, "mod.ts")).href)).sort().join(" ");
    const print = "console.log(Object.keys(brokkr).sort().join(' '))";
    await steps.step(
      "Node imports the package",
      () => printsNames(project, "import.mjs", `import * as brokkr from "brokkr"; ${print}`, names),
    );
    await steps.step(
      "Node requires the package",
      () => printsNames(project, "require.cjs", `const brokkr = require("brokkr"); ${print}`, names),
    );
    await steps.step("the package's types are complete", () => typeChecks(project));
    const bin = join(project, "node_modules/.bin/brokkr");
    await steps.step("the package's program prints its version", () => checkVersion([bin], project));
    await demo("the package's demo", [bin, "demo"]);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

async function install(npm: string, project: string): Promise<string> {
  await Deno.writeTextFile(join(project, "package.json"), '{ "private": true }\n');
  const packed = await run(["npm", "pack", "--json", "--pack-destination", project], { cwd: npm });
  if (packed.code !== 0) return packed.output;
  const archives = [...Deno.readDirSync(project)].filter(({ name }) => name.endsWith(".tgz"));
  const archive = join(project, archives[0]?.name ?? "no archive");
  return await expectSuccess(["npm", "install", "--no-audit", "--no-fund", archive], { cwd: project });
}

async function printsNames(project: string, file: string, code: string, names: string): Promise<string> {
  await Deno.writeTextFile(join(project, file), code);
  const { code: exitCode, stdout, output } = await run(["node", file], { cwd: project, deadlineMs: 30_000 });
  if (exitCode === 0 && stdout.trim() === names) return "";
  return `${output}\nnode ${file} ended with exit code ${exitCode}; it should print: ${names}`;
}

/** Without `skipLibCheck`, so that the declarations of the package are checked too. */
async function typeChecks(project: string): Promise<string> {
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "esnext.disposable", "dom"],
    types: [],
    module: "nodenext",
    strict: true,
    noEmit: true,
  };
  await Deno.writeTextFile(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["use.mts"] }),
  );
  await Deno.writeTextFile(join(project, "use.mts"), 'export * from "brokkr";\n');
  return await tsc(project);
}
