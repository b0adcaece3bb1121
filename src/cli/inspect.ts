/** `brokkr inspect`: opens the inspector of a module's process for a debugger, and closes it. */

import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./exit_codes.ts";
import type { ArgsOf } from "./commands.ts";
import { askBroker, unknownName } from "./connect.ts";
import { print } from "./output.ts";

export async function inspect(runtime: Runtime, { module, off, json, broker }: ArgsOf<"inspect">): Promise<void> {
  return await askBroker(runtime, broker, async (client) => {
    const { url, error } = await client.inspect(module, !off).catch((error) => unknownName("inspect", error));
    if (error !== null) throw new CliError(error, { exitCode: ExitCode.failed });
    if (json) await print(`${JSON.stringify({ module, url })}\n`);
    else if (url !== null) await print(`${url}\n`);
    if (url === null) runtime.writeError(`The inspector of ${module} is closed\n`);
    else {
      const { host, pathname } = new URL(url);
      runtime.writeError(
        `Open devtools://devtools/bundled/js_app.html?ws=${host}${pathname} in Chrome, or chrome://inspect with ${host}; ` +
          `it closes after 10 minutes, or with "brokkr inspect ${module} --off"\n`,
      );
    }
  });
}
