/**
 * What a father and its process tell each other beside calls.
 *
 * @module
 */

import type { ThrownError } from "../call/wire_error.ts";
import type { CleanupReceipt } from "../cleanup/clean.ts";
import { isEventId } from "../log/lines.ts";
import type { LogEvent } from "../log/record.ts";
import type { ProcessStatus } from "../broker/status.ts";
import { BodyError, readJson } from "./batch.ts";

/** From a process to its father. */
export type ProcessNotice =
  /** The cleanup of module `owner` begins; null after the last one. */
  | { readonly kind: "cleaning"; readonly owner: string | null }
  | { readonly kind: "ready"; readonly commands: readonly string[]; readonly cleanup: CleanupReceipt }
  /** With `lasting` another start would fail too. */
  | { readonly kind: "failed"; readonly error: ThrownError; readonly lasting?: boolean }
  /** The answer to `status`, and to `restart` when the worker is ready or has failed. */
  | { readonly kind: "status"; readonly request: number; readonly workers: readonly ProcessStatus[] }
  | { readonly kind: "stopped" };

/** From a father to its process. */
export type FatherNotice =
  | { readonly kind: "stop" }
  | { readonly kind: "wanted"; readonly events: readonly string[] }
  | { readonly kind: "status"; readonly request: number }
  | { readonly kind: "restart"; readonly worker: number; readonly request: number };

const PROCESS_NOTICES: readonly unknown[] = [
  "cleaning",
  "ready",
  "failed",
  "status",
  "stopped",
] satisfies ProcessNotice["kind"][];
const PROCESS_NOTICE_FIELDS: Readonly<Record<ProcessNotice["kind"], readonly string[]>> = {
  cleaning: ["owner"],
  ready: ["commands", "cleanup"],
  failed: ["error"],
  status: ["request", "workers"],
  stopped: [],
};
const FATHER_NOTICES: readonly unknown[] = ["stop", "wanted", "status", "restart"] satisfies FatherNotice["kind"][];

/** @throws {BodyError} */
export function readProcessNotice(body: Uint8Array): ProcessNotice {
  const notice = readJson(body);
  if (!isKind<ProcessNotice>(notice, PROCESS_NOTICES)) throw new BodyError("a notice of an unknown kind");
  const holds = PROCESS_NOTICE_FIELDS[notice.kind];
  if (!holds.every((field) => field in notice)) {
    throw new BodyError(`a notice "${notice.kind}" without ${holds.join(", ")}`);
  }
  return notice;
}

/** @throws {BodyError} */
export function readFatherNotice(body: Uint8Array): FatherNotice {
  const notice = readJson(body);
  if (!isKind<FatherNotice>(notice, FATHER_NOTICES)) throw new BodyError("a notice of an unknown kind");
  return notice;
}

/** Events that a process reports. @throws {BodyError} */
export function readRecords(body: Uint8Array): LogEvent[] {
  const events = readJson(body);
  if (!Array.isArray(events) || !events.every(isEvent)) throw new BodyError("a records frame is not a list of events");
  return events;
}

/** Why the peer ended the link. @throws {BodyError} */
export function readCloseReason(body: Uint8Array): string {
  const close = readJson(body);
  if (typeof close === "object" && close !== null && "reason" in close) return String(close.reason);
  return "the peer closed the channel";
}

function isKind<T extends { kind: string }>(value: unknown, kinds: readonly unknown[]): value is T {
  return typeof value === "object" && value !== null && "kind" in value && kinds.includes(value.kind);
}

function isEvent(value: unknown): value is LogEvent {
  if (typeof value !== "object" || value === null) return false;
  const { event, time, pid, module, thread, fields } = value as Partial<Record<keyof LogEvent, unknown>>;
  return typeof event === "string" && isEventId(event) && typeof time === "number" && typeof pid === "number" &&
    typeof module === "string" && typeof thread === "string" && typeof fields === "object" && fields !== null;
}
