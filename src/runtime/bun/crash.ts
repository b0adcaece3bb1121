import { process } from "../node/global.ts";
import { writeError } from "../node/self.ts";

/**
 * Lets an uncaught error or unhandled rejection end this process, as it does in Deno and Node: Bun prints it and goes on, and a
 * module in an unknown state would go on answering. A module that listens for them itself decides itself.
 */
export function crashOnUncaught(): void {
  process.on("uncaughtException", (error) => crash("uncaughtException", error));
  process.on("unhandledRejection", (reason) => crash("unhandledRejection", reason));
}

function crash(event: "uncaughtException" | "unhandledRejection", error: unknown): void {
  if (process.listenerCount(event) > 1) return;
  writeError(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  process.exit(1);
}
