import type { Clock } from "../../runtime/runtime.ts";
import type { Conventions, Notification } from "./conventions.ts";
import type { Framing } from "../module/settings.ts";
import type { Params } from "./message.ts";

export interface ConnectionEvents {
  /** Something that stands where a message should: no JSON (`parse`), or not of JSON-RPC (`invalid`). */
  stray(text: string, why: "parse" | "invalid"): void;
  /** Something that was left out, as the object of "dropped". */
  dropped(what: string): void;
  notification(notification: Notification): void;
  /** Runs a peer's request. What it throws is the answer's error: its `code`, `message` and `data`. */
  request(method: string, params: Params, signal: AbortSignal): unknown;
  /** Room in the transport again. */
  drained(): void;
  /**
   * Called once: nothing more comes. `reason` is null where the peer just ended its output; its requests go on. With `failed` it is
   * the transport's.
   */
  closed(reason: string | null, failed: boolean): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly framing: Framing;
  readonly conventions: Conventions;
  readonly events: ConnectionEvents;
  /** Whether what the peer printed without a line end may stand before a message in its line. @default false */
  readonly mayPrint?: boolean;
  /** Bytes of one message that comes. @default 16 MiB */
  readonly limit?: number;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gets what the peer tells of the request while it runs. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
}
