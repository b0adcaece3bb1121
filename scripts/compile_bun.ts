/** Writes dist/brokkr, a standalone binary of cli.ts made by Bun, and runs it once: a build that ends well may be wrong. */

import { join } from "node:path";
import { BUN, ROOT, run } from "./command.ts";
import { VERSION } from "../src/core/version.ts";

export const BINARY = join(ROOT, "dist/brokkr");

const FLAGS = [
  // Names of classes and functions stand in errors: identifiers stay as they are (`--keep-names` does not keep them).
  "--minify-whitespace",
  "--minify-syntax",
  "--sourcemap=inline",
  // A user's module may have its own package.json and tsconfig.json; settings of the folder it is started in are not ours.
  "--compile-autoload-package-json",
  "--compile-autoload-tsconfig",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
];

/** Builds the binary as `file`; gives what went wrong, empty when nothing did. */
export async function compileWithBun(file = BINARY): Promise<string> {
  const built = await run([BUN, "build", "--compile", ...FLAGS, "--outfile", file, join(ROOT, "cli.ts")]);
  if (built.code !== 0) return `Cannot compile cli.ts: bun ended with exit code ${built.code}\n${built.output}`;
  return await checkVersion([file]);
}

/** Runs `command --version`; gives what is wrong with it, empty when nothing is. */
export async function checkVersion(command: readonly string[], cwd?: string): Promise<string> {
  const { code, stdout, output } = await run([...command, "--version"], {
    deadlineMs: 30_000,
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (code === 0 && [VERSION, `brokkr ${VERSION}`].includes(stdout.trim())) return "";
  const text = `prints ${JSON.stringify(output.trim())} with exit code ${code}`;
  return `${command.join(" ")} --version: ${text}; it should be "${VERSION}" with exit code 0`;
}

if (import.meta.main) {
  const wrong = await compileWithBun();
  if (wrong !== "") {
    console.error(wrong);
    Deno.exit(1);
  }
  console.log(`Wrote dist/brokkr (${(await Deno.stat(BINARY)).size} bytes)`);
}
