/**
 * What goes over a control socket: the frames of any channel, with commands of the broker itself. A result travels in an
 * envelope, so that an error keeps its class on the way.
 *
 * @module
 */

import { type BrokerFault, readFault } from "../faults.ts";

/** Name of the folder that holds the control sockets of one user. */
export const CONTROL_FOLDER = "brokkr";

const ENDING = ".sock";
/** What macOS takes as the path of a unix socket, without its ending zero; Linux takes four more. */
const PATH_LIMIT = 103;

/** The largest parameters of a call by hand. Small, as the broker makes room for them before they have arrived. */
export const ASKED_LIMIT = 1024 * 1024;
/** The largest frame that a client may send: such parameters, and what goes with them. */
export const ASKED_FRAME_LIMIT = ASKED_LIMIT + 64 * 1024;

/** What a call by hand took. */
export interface MeasuredResult {
  /** Absent where the handler returned nothing. */
  readonly value?: unknown;
  readonly attempts: number;
  readonly ms: number;
}

/** How a command by hand ended. */
export type Envelope =
  | { readonly ok: true; readonly value?: unknown }
  | { readonly ok: false; readonly fault: BrokerFault };

/** @throws {Error} when the path is longer than a socket's may be. */
export function socketPath(folder: string, broker: string): string {
  const path = `${folder}/${broker}${ENDING}`;
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= PATH_LIMIT) return path;
  throw new Error(
    `Cannot open control socket "${path}": its path has ${bytes} bytes and may have ${PATH_LIMIT}, ` +
      `set XDG_RUNTIME_DIR or TMPDIR to a shorter path`,
  );
}

/** Name of the broker whose socket `file` would be, or null. */
export function brokerOf(file: string): string | null {
  return file.endsWith(ENDING) && !file.startsWith(".") ? file.slice(0, -ENDING.length) : null;
}

/** @throws {TypeError} where a broker of another version answered something else. */
export function readEnvelope(value: unknown): Envelope {
  if (typeof value === "object" && value !== null && "ok" in value) {
    if (value.ok === true) return { ok: true, value: "value" in value ? value.value : undefined };
    if (value.ok === false && "fault" in value) return { ok: false, fault: readFault(value.fault) };
  }
  throw new TypeError("Cannot read the broker's answer: it is none that this version knows");
}

/** @throws {TypeError} where a broker of another version answered something else. */
export function readMeasured(value: unknown): MeasuredResult {
  if (typeof value === "object" && value !== null && "attempts" in value && "ms" in value) {
    const { attempts, ms } = value;
    if (typeof attempts === "number" && typeof ms === "number") {
      return "value" in value ? { value: value.value, attempts, ms } : { attempts, ms };
    }
  }
  throw new TypeError("Cannot read the broker's answer: it does not say what the call took");
}
