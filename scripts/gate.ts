/**
 * The whole gate, the same by hand and in CI. Every step counts as one test, the suite as all of its tests; the last line
 * is the sum.
 */

import { join, relative } from "node:path";
import { checkBorder } from "./check_border.ts";
import { DEV, DEV_CONFIG, ROOT, stopOnSignals } from "./command.ts";
import { compileWithBun } from "./compile_bun.ts";
import { apiDocs } from "./gate/api_docs.ts";
import { binary } from "./gate/binary.ts";
import { installedPackage } from "./gate/installed_package.ts";
import { expectSuccess, Steps } from "./gate/steps.ts";
import { sumText } from "./suite/report.ts";

const DENO = Deno.execPath();

/** What the README tells users to run. */
const SUITE = ["npx", "-y", "deno@2.9.5", "task", "test"];
const WORLD = [DENO, "task", "test:world"];

const steps = new Steps();
stopOnSignals();

for (const cwd of [ROOT, DEV]) {
  const config = relative(ROOT, join(cwd, "deno.json"));
  await steps.step(`${config} has its lock file`, () => expectSuccess([DENO, "install", "--frozen"], { cwd }));
}
await steps.step("format", () => expectSuccess([DENO, "fmt", "--check"]));
await steps.step("lint", () => expectSuccess([DENO, "lint"]));
await steps.step("types", () => expectSuccess([DENO, "check", ...DEV_CONFIG, "."]));
await steps.step("border", async () => (await checkBorder()).join("\n"));

await apiDocs(steps);

await steps.suite(SUITE);
await steps.suite(WORLD);

await installedPackage(steps, demo);
if (await steps.step("the binary is compiled and prints its version", () => compileWithBun())) await binary(steps);
await demo("deno task demo", [DENO, "task", "demo"]);

console.log(sumText(steps.sum));
Deno.exit(steps.sum.failed === 0 ? 0 : 1);

async function demo(name: string, command: readonly string[]): Promise<void> {
  await steps.step(name, () => expectSuccess(command, { deadlineMs: 60_000 }));
}
