/**
 * `brokkr demo`: the command. The broker itself is in demo_program.ts, which its processes load too.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command, constant, option } from "@optique/core/primitives";
import type { Runtime } from "../runtime/runtime.ts";
import { DEMO_PROGRAM, PROGRAM_VARIABLE } from "./own_program.ts";

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
  const { runDemo } = await import("./demo_program.ts");
  return await runDemo({ json });
}
