import { process } from "../builtins/process.ts";
import { common } from "../builtins/self.ts";
import { type BunChannel, descriptorChannel } from "./channel.ts";

export const CHILD_FD = 3;
export const ADDRESS = `fd:${CHILD_FD}`;

/** The child's side of the channel that `spawn.ts` makes. */
export function parentChannel(address: string): Promise<BunChannel> {
  crashOnUncaught();
  if (address === ADDRESS) return descriptorChannel(CHILD_FD);
  return Promise.reject(
    new Error(
      `Cannot open the channel to the broker: address "${address}" is not "${ADDRESS}", start both with the same runtime`,
    ),
  );
}

/**
 * Lets an uncaught error or unhandled rejection end this process, as it does in Deno and Node: Bun prints it and goes on, and a
 * module in an unknown state would go on answering. A module that listens for them itself decides itself.
 */
function crashOnUncaught(): void {
  process.on("uncaughtException", (error) => crash("uncaughtException", error));
  process.on("unhandledRejection", (reason) => crash("unhandledRejection", reason));
}

function crash(event: "uncaughtException" | "unhandledRejection", error: unknown): void {
  if (process.listenerCount(event) > 1) return;
  common.writeError(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  process.exit(1);
}
