/**
 * The first frame each way.
 *
 * @module
 */

import type { SupervisionPlan } from "../supervise/settings.ts";
import type { OutputLimits } from "../supervise/process_settings.ts";
import { readJson } from "./batch.ts";

/** Version of the frames and of everything in them. Peers must have the same. */
export const PROTOCOL_VERSION = 1;

/** What both sides say first. */
export interface Hello {
  readonly protocol: number;
  /** Version of brokkr. */
  readonly version: string;
  readonly broker: string;
  /** Name of the process that speaks. */
  readonly process: string;
  readonly pid: number;
  readonly runtime: string;
  /** The codecs it can read; only JSON where it says nothing. */
  readonly codecs?: readonly string[];
  /** From the father only. */
  readonly setup: Setup | null;
}

/** What a new process needs to know before it cleans. */
export interface Setup {
  /** Ids of the events that someone wants. */
  readonly wanted: readonly string[];
  readonly frameLimit: number;
  readonly cleanupMs: number;
  readonly timeoutMs: number;
  readonly retry: "once" | "never";
  /** The module's `options`. */
  readonly options: unknown;
  readonly supervision: SupervisionPlan;
  readonly concurrency: number | null;
  readonly queue: number | null;
  readonly output: OutputLimits;
  /** Names that calls may go to through the father. */
  readonly names: readonly string[];
}

/** @throws {HelloError} when the peer can't be talked to. */
export function readHello(body: Uint8Array, version: string): Hello {
  const value = readJson(body);
  if (!isHello(value)) throw new HelloError("Cannot talk to the peer: its first frame is not a hello");
  if (value.protocol === PROTOCOL_VERSION) return value;
  throw new HelloError(
    `Cannot talk to the peer: it speaks protocol ${value.protocol} (brokkr ${value.version}) ` +
      `and this is protocol ${PROTOCOL_VERSION} (brokkr ${version})`,
  );
}

/** Peers are processes of the same brokkr or were refused by their protocol number, so this much is enough. */
function isHello(value: unknown): value is Hello {
  return typeof value === "object" && value !== null && "protocol" in value && typeof value.protocol === "number" &&
    "version" in value && typeof value.version === "string";
}

/** Two peers that can't understand each other. */
export class HelloError extends Error {
  override readonly name = "HelloError";
}
