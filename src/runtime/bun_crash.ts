import { process } from "./node_global.ts";
import { writeError } from "./node_self.ts";

/**
 * Lets an unhandled rejection end this process, as it does in Deno and Node: Bun prints it and goes on, and a module in an unknown
 * state would go on answering. A module that listens for them itself decides itself.
 */
export function crashOnUnhandledRejection(): void {
  process.on("unhandledRejection", (reason) => {
    if (process.listenerCount("unhandledRejection") > 1) return;
    writeError(`${reason instanceof Error ? reason.stack ?? reason.message : String(reason)}\n`);
    process.exit(1);
  });
}
