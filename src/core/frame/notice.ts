/**
 * What a father and its process tell each other beside calls.
 *
 * @module
 */

import type { ThrownError } from "../call/wire_error.ts";
import type { CleanupReceipt } from "../cleanup/clean.ts";
import type { CleanupStatus, ProcessStatus } from "../broker/status.ts";
import {
  type FieldChecks,
  isAnything,
  isBoolean,
  isNumber,
  isText,
  listOf,
  objectOf,
  oneOf,
  optional,
  orNull,
  wrongField,
} from "../field_checks.ts";
import { RECEIPT_CHECKS } from "../log/reported.ts";
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

const isCount = isNumber;
const isFigure = orNull(isNumber);
const isReceipt = objectOf<CleanupReceipt>(RECEIPT_CHECKS);
const isProcessStatus = objectOf<ProcessStatus>({
  name: isText,
  state: oneOf("starting", "cleaning", "ready", "draining", "stopped", "backoff", "failed"),
  pid: isFigure,
  restarts: isCount,
  uptimeMs: isNumber,
  blocked: isBoolean,
  nextRestartMs: isFigure,
  memory: objectOf<ProcessStatus["memory"]>({ rssBytes: isFigure, pssBytes: isFigure, privateBytes: isFigure }),
  calls: objectOf<ProcessStatus["calls"]>({
    ok: isCount,
    retried: isCount,
    timeout: isCount,
    cancelled: isCount,
    error: isCount,
    late: isCount,
    duplicate: isCount,
    unknown: isCount,
  }),
  latencyMs: objectOf<ProcessStatus["latencyMs"]>({
    p50: isFigure,
    p99: isFigure,
    sumMs: isNumber,
    histogram: listOf(objectOf<ProcessStatus["latencyMs"]["histogram"][number]>({ upToMs: isNumber, count: isCount })),
  }),
  cleanup: orNull(objectOf<CleanupStatus>({
    ms: isNumber,
    released: listOf(isText),
    errors: isCount,
    modules: RECEIPT_CHECKS.modules,
    privateBytesBefore: isFigure,
    privateBytesAfter: isFigure,
    pssBytesBefore: isFigure,
    pssBytesAfter: isFigure,
    heapBytesBefore: isFigure,
    heapBytesAfter: isFigure,
    openFilesBefore: isFigure,
    openFilesAfter: isFigure,
    leftovers: RECEIPT_CHECKS.leftovers,
  })),
});

/** Fields of each kind of notice. */
const PROCESS_NOTICES: {
  readonly [K in ProcessNotice["kind"]]: FieldChecks<Omit<Extract<ProcessNotice, { kind: K }>, "kind">>;
} = {
  cleaning: { owner: orNull(isText) },
  ready: { commands: listOf(isText), cleanup: isReceipt },
  failed: {
    error: objectOf<ThrownError>({ name: isText, message: isText, stack: isText, data: isAnything }),
    lasting: optional(isBoolean),
  },
  status: { request: isNumber, workers: listOf(isProcessStatus) },
  stopped: {},
};
const FATHER_NOTICES: readonly unknown[] = ["stop", "wanted", "status", "restart"] satisfies FatherNotice["kind"][];

/** @throws {BodyError} */
export function readProcessNotice(body: Uint8Array): ProcessNotice {
  const notice = readJson(body);
  if (!isKind<ProcessNotice>(notice, Object.keys(PROCESS_NOTICES))) throw new BodyError("a notice of an unknown kind");
  const checks: FieldChecks<unknown> = PROCESS_NOTICES[notice.kind];
  const wrong = wrongField({ ...notice }, checks);
  if (wrong !== null) {
    throw new BodyError(`a notice "${notice.kind}" ${wrong in notice ? "with a wrong" : "without"} ${wrong}`);
  }
  return notice;
}

/** @throws {BodyError} */
export function readFatherNotice(body: Uint8Array): FatherNotice {
  const notice = readJson(body);
  if (!isKind<FatherNotice>(notice, FATHER_NOTICES)) throw new BodyError("a notice of an unknown kind");
  return notice;
}

/** What a process reports, of which nothing is checked yet. @throws {BodyError} */
export function readRecords(body: Uint8Array): readonly unknown[] {
  const events = readJson(body);
  if (!Array.isArray(events)) throw new BodyError("a records frame is not a list of events");
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
