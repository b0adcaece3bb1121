/** What the registries show of mod.ts: documented, with examples that run, and ready to be published. */

import { join, relative } from "node:path";
import { files } from "../build_npm.ts";
import { ROOT } from "../command.ts";
import { expectSuccess, type Steps } from "./steps.ts";

const DENO = Deno.execPath();

export async function apiDocs(steps: Steps): Promise<void> {
  await steps.step(
    "every public name of mod.ts and testing.ts is documented",
    () => expectSuccess([DENO, "doc", "--lint", "mod.ts", "nats.ts", "testing.ts"]),
  );
  await steps.step("the examples in doc comments run", async () => {
    const command = [DENO, "test", "--allow-all", "--doc", ...await filesWithExamples()];
    return await expectSuccess(command, { env: { BROKKR_LOG: "fatal" }, deadlineMs: 60_000 });
  });
  await steps.step(
    "deno publish takes the package",
    () => expectSuccess([DENO, "publish", "--dry-run", "--allow-dirty"]),
  );
}

/** mod.ts, testing.ts and what they re-export from. Blocks of the guides are of the suite. */
async function filesWithExamples(): Promise<string[]> {
  const found = ["mod.ts", "nats.ts", "testing.ts"];
  for await (const file of files(join(ROOT, "src"), ".ts")) {
    if (/^ *\* ```ts$/m.test(await Deno.readTextFile(file))) found.push(relative(ROOT, file));
  }
  return found.sort();
}
