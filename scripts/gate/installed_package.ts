/** The npm package as a user gets it: built, packed, and installed into an empty project, where all of it is tried. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildNpm } from "../build_npm.ts";
import { BUN, ROOT, run } from "../command.ts";
import { checkVersion } from "../compile_bun.ts";
import { tsc } from "../tsc.ts";
import { expectSuccess, type Steps } from "./steps.ts";

const PUBLINT = "publint@0.3.25";
const ATTW = "@arethetypeswrong/cli@0.18.5";

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
    await steps.step(
      "Bun imports the package",
      () => printsNames(project, "import.mjs", `import * as brokkr from "brokkr"; ${print}`, names, BUN),
    );
    for (const module of ["nodenext", "preserve"] as const) {
      await steps.step(
        `a typed program compiles under --strict with module ${module}`,
        () => typeChecks(project, module),
      );
    }
    await steps.step("publint finds nothing", () => expectSuccess(["npx", "-y", PUBLINT, npm, "--strict"]));
    await steps.step("the types are right wherever the package is imported", () => typesResolve(project));
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

async function printsNames(
  project: string,
  file: string,
  code: string,
  names: string,
  runtime = "node",
): Promise<string> {
  await Deno.writeTextFile(join(project, file), code);
  const { code: exitCode, stdout, output } = await run([runtime, file], { cwd: project, deadlineMs: 30_000 });
  if (exitCode === 0 && stdout.trim() === names) return "";
  return `${output}\n${runtime} ${file} ended with exit code ${exitCode}; it should print: ${names}`;
}

/** A typed program, and without `skipLibCheck`, so that the declarations of the package are checked too. */
async function typeChecks(project: string, module: "nodenext" | "preserve"): Promise<string> {
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "esnext.disposable", "dom"],
    types: [],
    module,
    strict: true,
    noEmit: true,
  };
  await Deno.writeTextFile(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["use.mts"] }),
  );
  await Deno.writeTextFile(join(project, "use.mts"), TYPED_PROGRAM);
  return await tsc(project);
}

const TYPED_PROGRAM = `
import { Broker, defineModule } from "brokkr";

const sla = defineModule({ name: "sla", commands: { get_report: (month: string) => month.length } });
const broker = await Broker.start({ name: "broker-master", modules: [sla] });
const length: number = await broker.call(sla, "get_report", ["2021-10"]);
// @ts-expect-error: the month is a text
await broker.call(sla, "get_report", [length]);
// @ts-expect-error: there is no such command
await broker.call(sla, "get_reprot", ["2021-10"]);
const { modules } = await broker.status();
modules[0]?.memory?.privateBytes?.toFixed();
`;

/** The package is for \`import\` and for Node's \`require\` of modules, which is what the profile means. */
async function typesResolve(project: string): Promise<string> {
  const archive = [...Deno.readDirSync(project)].find(({ name }) => name.endsWith(".tgz"))?.name ?? "no archive";
  return await expectSuccess(["npx", "-y", ATTW, archive, "--profile", "esm-only"], { cwd: project });
}
