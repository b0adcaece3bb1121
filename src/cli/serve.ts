/**
 * `brokkr serve`: serves a module as a JSON-RPC 2.0 program, so that any client can call its commands.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import type { ArgsOf } from "./commands.ts";
import { offerLibrary } from "./own_program.ts";
import { typescriptRemedy } from "./config/module_path.ts";

/** Clients have their own timeouts; this one only ends what hangs. */
const DEFAULT_TIMEOUT_MS = 60_000;

export async function serve(runtime: Runtime, args: ArgsOf<"serve">, depth: number): Promise<number> {
  const { file, framing, timeoutMs = DEFAULT_TIMEOUT_MS } = args;
  if (!existsSync(file)) {
    throw new CliError(`Cannot serve "${file}": it does not exist, correct its path`, ExitCode.usage);
  }
  const remedy = typescriptRemedy(runtime, file);
  if (remedy !== null) throw new CliError(`Cannot serve "${file}": ${remedy}`, ExitCode.usage);
  await offerLibrary(runtime);
  const { serveModule } = await import("./serve_module.ts");
  return await serveModule(runtime, { url: pathToFileURL(resolve(file)).href, framing, timeoutMs, depth });
}
