import { type BunChannel, descriptorChannel } from "./channel.ts";
import { crashOnUncaught } from "./crash.ts";

export const CHILD_FD = 3;
export const ADDRESS = `fd:${CHILD_FD}`;

/** The child's side of the channel that `bun_program.ts` makes. */
export function parentChannel(address: string): Promise<BunChannel> {
  crashOnUncaught();
  if (address === ADDRESS) return descriptorChannel(CHILD_FD);
  return Promise.reject(
    new Error(
      `Cannot open the channel to the broker: address "${address}" is not "${ADDRESS}", start both with the same runtime`,
    ),
  );
}
