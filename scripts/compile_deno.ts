/**
 * Writes dist/brokkr, a standalone binary of cli.ts made by Deno, and runs it once: a build that ends well may be wrong.
 *
 * `deno compile` joins the program to a runtime of its own (denort), which it downloads at the first build or takes from
 * DENORT_BIN.
 */

import { join } from "node:path";
import { ROOT, run } from "./command.ts";
import { BINARY, checkVersion } from "./compile_bun.ts";

/** How to go on where the runtime can't be downloaded. */
const HOW_TO_GO_ON = `Cannot compile cli.ts with Deno: its runtime for binaries (denort) could not be downloaded; ` +
  `set DENORT_BIN to a denort of version ${Deno.version.deno} for this system, or run "deno task compile:bun", ` +
  `which needs no download`;

/** Builds the binary; gives what went wrong, empty when nothing did. */
async function compileWithDeno(): Promise<string> {
  // The bundle holds what is imported, 0.3 MB, in place of the whole node_modules folder.
  const flags = ["--allow-all", "--bundle", "--output", BINARY];
  const built = await run([Deno.execPath(), "compile", ...flags, join(ROOT, "cli.ts")]);
  if (built.code !== 0) {
    const missing = /denort|dl\.deno\.land|dns error|sending request/i.test(built.output);
    return missing ? HOW_TO_GO_ON : `Cannot compile cli.ts: deno ended with exit code ${built.code}\n${built.output}`;
  }
  // A DENORT_BIN that is deno itself makes a file that is deno itself.
  return await checkVersion([BINARY]);
}

if (import.meta.main) {
  const wrong = await compileWithDeno();
  if (wrong !== "") {
    console.error(wrong);
    Deno.exit(1);
  }
  console.log(`Wrote dist/brokkr (${(await Deno.stat(BINARY)).size} bytes)`);
}
