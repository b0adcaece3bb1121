/**
 * `brokkr serve`: serves a module as a JSON-RPC 2.0 program, so that any client can call its commands.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { type ArgsOf, duration } from "./options.ts";
import { offerLibrary } from "./own_program.ts";
import { typescriptRemedy } from "./config/module_path.ts";

/** Clients have their own timeouts; this one only ends what hangs. */
const DEFAULT_TIMEOUT_MS = 60_000;

export const serveParser = command(
  "serve",
  object({
    action: constant("serve"),
    file: argument(string({ metavar: "FILE" }), { description: message`A module's file.` }),
    framing: optional(option("--framing", choice(["newline", "content-length"], { metavar: "FRAMING" }), {
      description:
        message`One message per line, or a header with the length before each; by default like the client's first message.`,
    })),
    timeoutMs: optional(option("--timeout", duration(), {
      description: message`Timeout of one attempt, such as 500ms or 2s; by default 60s.`,
    })),
  }),
  {
    brief: message`Serve a module as a JSON-RPC program on standard input and output`,
    footer: message`Example: brokkr serve sla.js. When its input ends, it drains and ends with exit code 0.`,
  },
);

export async function serve(runtime: Runtime, args: ArgsOf<typeof serveParser>, depth: number): Promise<number> {
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
