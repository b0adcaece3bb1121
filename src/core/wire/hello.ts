/**
 * The first frame each way.
 *
 * @module
 */

import type { SupervisionPlan } from "../module/settings.ts";
import type { OutputLimits } from "../module/settings.ts";
import {
  type FieldChecks,
  isAnything,
  isNumber,
  isText,
  listOf,
  objectOf,
  oneOf,
  optional,
  orNull,
} from "../field_checks.ts";
import { isRecord } from "../is_record.ts";
import { readJson } from "./batch.ts";
import { BodyError } from "./body_error.ts";
import { FieldTable } from "./fields.ts";

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

const SETUP: FieldChecks<Setup> = {
  wanted: listOf(isText),
  frameLimit: isNumber,
  cleanupMs: isNumber,
  timeoutMs: isNumber,
  retry: oneOf("once", "never"),
  options: isAnything,
  supervision: isPlan,
  concurrency: orNull(isNumber),
  queue: orNull(isNumber),
  output: objectOf<OutputLimits>({ maxLinesPerSecond: isNumber, maxLineBytes: isNumber }),
  names: listOf(isText),
};

/** Of what a stranger says as little as possible is needed. */
const HELLO = new FieldTable<Hello>({
  protocol: isNumber,
  version: isText,
  broker: isText,
  process: isText,
  pid: isNumber,
  runtime: isText,
  codecs: optional(listOf(isText)),
  setup: orNull(objectOf(SETUP)),
}, { broker: "", process: "", pid: 0, runtime: "", codecs: undefined });

export function helloText(hello: Hello): string {
  return HELLO.write(hello);
}

/** @throws {HelloError} when the peer can't be talked to. */
export function readHello(body: Uint8Array, version: string): Hello {
  const value = readJson(body);
  if (!isHello(value)) throw new HelloError("Cannot talk to the peer: its first frame is not a hello");
  if (value.protocol === PROTOCOL_VERSION) return HELLO.read({ setup: null, ...value }, "a hello");
  throw new HelloError(
    `Cannot talk to the peer: it speaks protocol ${value.protocol} (brokkr ${value.version}) ` +
      `and this is protocol ${PROTOCOL_VERSION} (brokkr ${version})`,
  );
}

function isHello(value: unknown): value is Pick<Hello, "protocol" | "version"> {
  return isRecord(value) && isNumber(value["protocol"]) && isText(value["version"]);
}

/** The father made it of settings that were checked, and is the same brokkr: its groups are enough. */
function isPlan(value: unknown): value is SupervisionPlan {
  return isRecord(value) && ["restart", "heartbeat", "memory"].every((group) => isRecord(value[group]));
}

/** Two peers that can't understand each other. */
export class HelloError extends BodyError {
  override readonly name = "HelloError";
}
