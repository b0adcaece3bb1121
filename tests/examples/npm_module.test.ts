import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { installBrokkr, inThisRuntime, ROOT } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";
import { builtPackage } from "./package.ts";
import { brokkrFolder } from "./project.ts";

const PAGE = "examples/npm-module/README.md";
const PART = "A module with npm dependencies of its own";

test(`${PAGE}, ${PART}: the module's process loads the module's own dependency`, async () => {
  const steps = await stepsOf(PAGE, PART);
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 2);
  await using project = await brokkrFolder();
  await cp(join(ROOT, "examples/npm-module"), project.folder, { recursive: true });
  // Deno looks for packages from the program that it runs, so brokkr is one of the project's.
  const [modules, programs] = [join(project.folder, "node_modules"), join(project.folder, "..", "bin")];
  await installBrokkr(programs, inThisRuntime(join(modules, "brokkr/cli.js")));
  const npm = await builtPackage(join(project.folder, ".."));
  const replace = { "npm install": `npm install --no-audit --no-fund --install-links '${npm}'` };
  await follow(steps, { ...project, replace, quiet: true });
});
