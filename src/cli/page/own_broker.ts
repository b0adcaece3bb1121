/**
 * The control socket of the broker that runs in this very process. What a program starts by itself, with whatever copy of the
 * library, is reached this way like the broker of a configuration.
 *
 * @module
 */

import { ControlClient } from "../../core/control/client.ts";
import { findBrokers } from "../../core/control/find.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { pause } from "./pause.ts";

const LOOK_MS = 250;

/** Settles when there is one, of that name where it is known; never where the program starts none, or one without a control socket. */
export async function ownBroker(runtime: Runtime, known: string | null): Promise<ControlClient> {
  for (;;) {
    for (const { name, path } of await findBrokers(runtime)) {
      if (known !== null && name !== known) continue;
      const client = await ControlClient.connect(runtime, name, path).catch(() => null);
      const status = await client?.status().catch(() => null);
      if (client !== null && status?.broker.pid === runtime.pid) return client;
      client?.close();
    }
    await pause(LOOK_MS);
  }
}
