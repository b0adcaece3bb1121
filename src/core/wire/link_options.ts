/**
 * What a link is made with.
 *
 * @module
 */

import type { CodecName } from "./codec.ts";
import type { SharedMemoryOptions } from "./shared_memory.ts";

export interface LinkEvents {
  /** A whole frame. What it throws refuses this frame; three refused in a row close the link. */
  frame(type: number, flags: number, body: Uint8Array): void;
  /** A refused frame, or the first one of an unknown type. `excerpt`: the first 32 bytes of its body, printable. */
  refused(reason: string, excerpt: string): void;
  /** The transport has taken all that was written. */
  drained(): void;
  /** The link has ended, for `reason` where brokkr or, with `failed`, the transport ended it. Called once. */
  closed(reason: string | null, failed: boolean): void;
}

export interface LinkOptions {
  /** The largest body, in bytes. */
  readonly frameLimit: number;
  readonly events: LinkEvents;
  /** How values are written before the peer's hello says more. @default "json" */
  readonly codec?: CodecName;
  /** Where large bodies may lie. @default they stay on the channel */
  readonly shared?: SharedMemoryOptions;
}
