/**
 * Which brokers run.
 *
 * @module
 */

import type { Runtime } from "../../runtime/runtime.ts";
import { isLive } from "./live.ts";
import { brokerOf, CONTROL_FOLDER, socketPath } from "./protocol.ts";

/** A live broker of this user. */
export interface FoundBroker {
  readonly name: string;
  readonly path: string;
}

/** The live brokers of this user, by name. @throws when the folder of the sockets can't be trusted. */
export async function findBrokers(runtime: Runtime): Promise<FoundBroker[]> {
  const files = await runtime.files();
  const folder = files.folder(CONTROL_FOLDER);
  const found: FoundBroker[] = [];
  for (const file of files.list(folder).toSorted()) {
    const name = brokerOf(file);
    if (name === null) continue;
    const path = socketPath(folder, name);
    if (await isLive(runtime, path)) found.push({ name, path });
  }
  return found;
}
