/**
 * `brokkr serve`: one module as a JSON-RPC 2.0 program, so that any client can call its commands.
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
import type { Framing } from "../core/module/settings.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { duration } from "./options.ts";
import { offerLibrary } from "./own_program.ts";
import { typescriptRemedy } from "./run.ts";

/** A client waits as long as it wants; this only ends what hangs. */
const DEFAULT_TIMEOUT_MS = 60_000;

export const serveParser = command(
  "serve",
  object({
    action: constant("serve"),
    file: argument(string({ metavar: "FILE" }), { description: message`A module's file.` }),
    framing: optional(option("--framing", choice(["newline", "content-length"], { metavar: "FRAMING" }), {
      description: message`One message a line, or each after its length; else as the client's first message has it.`,
    })),
    timeoutMs: optional(option("--timeout", duration(), {
      description: message`Time for one attempt of a command, such as 500ms or 2s; 60s where it is left out.`,
    })),
  }),
  {
    brief: message`Serve a module as a JSON-RPC program on standard input and output`,
    footer: message`Example: brokkr serve sla.js. The end of its input drains and ends it with exit code 0.`,
  },
);

export interface ServeAsked {
  readonly file: string;
  readonly framing: Framing | undefined;
  readonly timeoutMs: number | undefined;
}

export async function serve(runtime: Runtime, asked: ServeAsked, depth: number): Promise<number> {
  const { file, framing, timeoutMs = DEFAULT_TIMEOUT_MS } = asked;
  if (!existsSync(file)) {
    throw new CliError(`Cannot serve "${file}": it does not exist, correct its path`, ExitCode.usage);
  }
  const remedy = typescriptRemedy(runtime, file);
  if (remedy !== null) throw new CliError(`Cannot serve "${file}": ${remedy}`, ExitCode.usage);
  await offerLibrary(runtime);
  const { serveModule } = await import("./serve_module.ts");
  return await serveModule(runtime, { url: pathToFileURL(resolve(file)).href, framing, timeoutMs, depth });
}
