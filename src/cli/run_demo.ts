/**
 * `brokkr demo`: a broker with modules and workers on this machine's real data.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command, constant, option } from "@optique/core/primitives";
import type { Runtime } from "../runtime/runtime.ts";
import { DEMO_PROGRAM, PROGRAM_VARIABLE } from "./program_variable.ts";

export const demoParser = command(
  "demo",
  object({
    action: constant("demo"),
    json: option("--json", { description: message`Print one JSON document.` }),
  }),
  { brief: message`Run a broker with modules and workers, no configuration needed` },
);

export async function demo(runtime: Runtime, { json }: { readonly json: boolean }): Promise<number> {
  runtime.env.set(PROGRAM_VARIABLE, DEMO_PROGRAM);
  const { runDemo } = await import("./demo.ts");
  return await runDemo({ json });
}
