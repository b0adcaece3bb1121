/**
 * Taking the name of a broker: its control socket belongs to one live broker at a time.
 *
 * @module
 */

import type { Channel, Listener, Runtime } from "../../runtime/runtime.ts";
import { NameTakenError } from "./control_socket_error.ts";
import { isLive } from "./live.ts";
import { inTurn } from "./name_lock.ts";

/** Listens at `path`. A dead broker's socket is replaced, a live one's never. @throws {NameTakenError} @throws {ControlSocketError} */
export async function claim(
  runtime: Runtime,
  { broker, path, accept }: { broker: string; path: string; accept: (channel: Channel) => void },
): Promise<Listener> {
  // Between the look at a dead socket and its replacement another broker might take the name, and lose it again to this one.
  return await inTurn(runtime, broker, async () => {
    if (await isLive(runtime, path)) throw new NameTakenError(broker);
    (await runtime.files()).remove(path);
    return await runtime.listen(path, accept);
  });
}
