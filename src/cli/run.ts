/**
 * `brokkr run`: a broker of a configuration, or of a program.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { existsSync, statSync } from "node:fs";
import type { Runtime } from "../runtime/runtime.ts";
import { type PageAddress, pageAddress } from "./page/address.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { nearestConfig } from "./config/nearest_config.ts";
import { offerLibrary } from "./own_library.ts";
import { typescriptRemedy } from "./typescript_support.ts";

const CONFIG = /\.jsonc?$/;
const PROGRAM = /\.[cm]?[jt]s$/;

export const runParser = command(
  "run",
  object({
    action: constant("run"),
    file: optional(argument(string({ metavar: "FILE" }), {
      description:
        message`A configuration (brokkr.json) or a program (main.ts, main.js); else the nearest brokkr.json.`,
    })),
    page: optional(option("--page", pageAddress(), {
      description: message`Show the broker at this address, for browsers and Prometheus.`,
    })),
    pageTokenFile: optional(option("--page-token-file", string({ metavar: "FILE" }), {
      description: message`What the page asks for, else what BROKKR_PAGE_TOKEN is; needed for other machines.`,
    })),
  }),
  {
    brief: message`Run the broker of a configuration or a program`,
    footer: message`Example: brokkr run brokkr.json. Ctrl-C drains and ends it with exit code 0.`,
  },
);

export interface RunAsked {
  readonly file: string | undefined;
  readonly page: PageAddress | undefined;
  readonly pageTokenFile: string | undefined;
}

export async function run(
  runtime: Runtime,
  { file, page, pageTokenFile }: RunAsked,
  depth: number,
): Promise<number> {
  const path = file ?? nearestConfig("run");
  const shown = page === undefined ? null : { address: page, tokenFile: pageTokenFile };
  if (shown === null && pageTokenFile !== undefined) {
    throw new CliError("Cannot take --page-token-file without --page: there is no page to open", ExitCode.usage);
  }
  await offerLibrary(runtime);
  if (CONFIG.test(path)) {
    const { runConfig } = await import("./run_config.ts");
    return await runConfig(runtime, path, { depth, page: shown });
  }
  if (!PROGRAM.test(path)) {
    const what = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? "a folder" : "neither";
    throw new CliError(
      `Cannot run "${path}": it must be a configuration (.json, .jsonc) or a program (.ts, .js), and it is ${what}`,
      ExitCode.usage,
    );
  }
  if (!existsSync(path)) {
    throw new CliError(`Cannot run "${path}": it does not exist, correct its path`, ExitCode.usage);
  }
  const remedy = typescriptRemedy(runtime, path);
  if (remedy !== null) throw new CliError(`Cannot run "${path}": ${remedy}`, ExitCode.usage);
  const { runProgram } = await import("./run_program.ts");
  return await runProgram(runtime, path, shown);
}
