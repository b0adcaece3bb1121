/** `brokkr describe`: what the modules of a broker can be called with. */

import type { ModuleDescription } from "../core/control/describe.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { descriptionsText } from "./answers.ts";
import { ExitCode, exitCodeOfCall } from "./exit_codes.ts";
import type { ArgsOf } from "./commands.ts";
import { askBroker, type Context, unknownName } from "./connect.ts";
import { hasColors, print } from "./output.ts";

export async function describe(
  runtime: Runtime,
  { module, json, broker }: ArgsOf<"describe">,
  { asked }: Context,
): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    const modules = await client.describe(module ?? null).catch((error) => unknownName("describe", error));
    await print(descriptionsText(modules, { json, colors: hasColors("stdout") }));
    return outcome(modules);
  }, asked);
}

/** Where nothing is known of any of them: why not. */
function outcome(modules: readonly ModuleDescription[]): number {
  const [first] = modules;
  const isUnknown = first !== undefined &&
    modules.every(({ commands, error }) => error !== null && commands.length === 0);
  return isUnknown ? exitCodeOfCall(first.code) : ExitCode.done;
}
