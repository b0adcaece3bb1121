import type { BrokerError } from "../faults.ts";

/** The broker went away, or has not answered. */
export class ControlLostError extends Error {
  override readonly name = "ControlLostError";

  constructor(broker: string, cause: BrokerError) {
    super(`Cannot reach broker "${broker}": ${cause.reason}`, { cause });
  }
}
