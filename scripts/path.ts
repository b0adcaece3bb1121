/**
 * Through how many source files one warm call runs, and a restart: files of which a function was executed in the broker's process
 * or the module's, as V8 counts them.
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { join, relative } from "node:path";
import { ROOT, run } from "./command.ts";
import { readOptions } from "./options.ts";

const PROGRAM = fileURLToPath(new URL("path/program.ts", import.meta.url));
const WAYS = ["call", "restart"] as const;

const { names } = readOptions("deno task path [--names]", () => ({ names: Deno.args.includes("--names") }));

for (const way of WAYS) {
  const command = [Deno.execPath(), "run", "-A", "--no-check", "--node-modules-dir=manual", PROGRAM, way];
  const { code, stdout, output } = await run(command);
  if (code !== 0) throw new Error(`Cannot follow a ${way}: exit code ${code}\n${output}`);
  const urls: readonly string[] = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  const sources = pathToFileURL(join(ROOT, "src")).href;
  const paths = urls.filter((url) => url.startsWith(`${sources}/`)).map((url) => relative(ROOT, fileURLToPath(url)));
  console.log(`${way === "call" ? "a warm call" : "a restart"}: ${paths.length} files of src`);
  if (names) { for (const path of paths) console.log(`  ${path}`); }
}
