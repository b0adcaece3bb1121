/**
 * Writes dist/brokkr, a standalone binary of cli.ts made by Deno, and checks it as the gate checks Bun's: a build that ends well may be
 * wrong.
 *
 * `deno compile` joins the program to a runtime of its own (denort), which it downloads at the first build or takes from
 * DENORT_BIN.
 */

import { join } from "node:path";
import { ROOT, run } from "./command.ts";
import { BINARY, checkVersion } from "./compile_bun.ts";
import { binary } from "./gate/binary.ts";
import { Steps } from "./gate/steps.ts";
import { sumText } from "./suite/report.ts";

const CANNOT_BE_HAD = "Cannot compile cli.ts with Deno: its runtime for binaries (denort) could not be downloaded; ";
/** Where Deno's runtime for binaries can't be had. */
const HOW_TO_GO_ON = `set DENORT_BIN to a denort of version ${Deno.version.deno} for this system, or run ` +
  `"deno task compile:bun", which needs no download`;

/** Builds the binary as `file`; gives what went wrong, empty when nothing did. */
async function compileWithDeno(file: string): Promise<string> {
  // The bundle holds what is imported, 0.3 MB, in place of the whole node_modules folder. A binary takes the engine's flags from here
  // only, and mod.ts is what `import "brokkr"` of a user's file leads to, by the imports of deno.json.
  const flags = ["--allow-all", "--v8-flags=--expose-gc", "--bundle", "--include", "mod.ts", "--output", file];
  const built = await run([Deno.execPath(), "compile", ...flags, join(ROOT, "cli.ts")], { cwd: ROOT });
  if (built.code !== 0) {
    const missing = /denort|dl\.deno\.land|dns error|sending request/i.test(built.output);
    return missing
      ? CANNOT_BE_HAD + HOW_TO_GO_ON
      : `Cannot compile cli.ts: deno ended with exit code ${built.code}\n${built.output}`;
  }
  const wrong = await checkVersion([file]);
  if (!/prints "deno \d/.test(wrong)) return wrong;
  return `Cannot compile cli.ts with Deno: DENORT_BIN is deno itself, and so is what was built; ${HOW_TO_GO_ON}`;
}

if (import.meta.main) {
  // Deno removes its output where it fails: a binary that was there before stays.
  const file = `${BINARY}.deno`;
  const wrong = await compileWithDeno(file);
  if (wrong !== "") {
    await Deno.remove(file).catch(() => {});
    console.error(wrong);
    Deno.exit(1);
  }
  await Deno.rename(file, BINARY);
  console.log(`Wrote dist/brokkr (${(await Deno.stat(BINARY)).size} bytes)`);
  const steps = new Steps();
  await binary(steps);
  console.log(sumText(steps.sum));
  Deno.exit(steps.sum.failed === 0 ? 0 : 1);
}
