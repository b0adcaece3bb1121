/**
 * What a father and its process tell each other beside calls.
 *
 * @module
 */

import { isThrown, type ThrownError } from "../faults.ts";
import type { CleanupReceipt } from "../child/cleanup.ts";
import type { CleanupStatus, ProcessStatus } from "../broker/status.ts";
import { isBoolean, isNumber, isText, listOf, objectOf, oneOf, optional, orNull } from "../field_checks.ts";
import { RECEIPT_CHECKS } from "../log/reported.ts";
import { isRecord } from "../is_record.ts";
import { BodyError, readJson } from "./batch.ts";
import { FieldTable } from "./fields.ts";

/** Asks a process to end. */
export type EndSignal = "SIGINT" | "SIGTERM";

/** From a process to its father. */
export type ProcessNotice =
  /** The cleanup of module `owner` begins; null after the last one. */
  | { readonly kind: "cleaning"; readonly owner: string | null }
  /** The cleanup is over, and the start hook follows. */
  | { readonly kind: "cleaned" }
  /** A worker wants to start: the father says when it may. `start` is a number of the process' own. */
  | { readonly kind: "start-wanted"; readonly start: number }
  /** That worker has cleaned, has ended or is not to start any more. */
  | { readonly kind: "start-over"; readonly start: number }
  | { readonly kind: "ready"; readonly commands: readonly string[]; readonly cleanup: CleanupReceipt }
  /** With `lasting` another start would fail too. */
  | { readonly kind: "failed"; readonly error: ThrownError; readonly lasting?: boolean }
  /** The answer to `status`, and to `restart` when the worker is ready or has failed. */
  | { readonly kind: "status"; readonly request: number; readonly workers: readonly ProcessStatus[] }
  /** It was sent a signal that asks it to end, and waits for what its father makes of it. */
  | { readonly kind: "signal"; readonly signal: EndSignal }
  | { readonly kind: "stopped" };

/** From a father to its process. */
export type FatherNotice =
  /** With `signal` it ends by that, when it has drained. */
  | { readonly kind: "stop"; readonly signal?: EndSignal }
  /** The answer to `start-wanted`. */
  | { readonly kind: "start-admitted"; readonly start: number }
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

type Notices<N extends { readonly kind: string }> = {
  readonly [K in N["kind"]]: FieldTable<Extract<N, { readonly kind: K }>>;
};

const PROCESS_NOTICES: Notices<ProcessNotice> = {
  cleaning: new FieldTable({ kind: oneOf("cleaning"), owner: orNull(isText) }),
  cleaned: new FieldTable({ kind: oneOf("cleaned") }),
  "start-wanted": new FieldTable({ kind: oneOf("start-wanted"), start: isNumber }),
  "start-over": new FieldTable({ kind: oneOf("start-over"), start: isNumber }),
  ready: new FieldTable({ kind: oneOf("ready"), commands: listOf(isText), cleanup: isReceipt }),
  failed: new FieldTable<Extract<ProcessNotice, { readonly kind: "failed" }>>({
    kind: oneOf("failed"),
    error: isThrown,
    lasting: optional(isBoolean),
  }),
  status: new FieldTable({ kind: oneOf("status"), request: isNumber, workers: listOf(isProcessStatus) }),
  signal: new FieldTable({ kind: oneOf("signal"), signal: oneOf("SIGINT", "SIGTERM") }),
  stopped: new FieldTable({ kind: oneOf("stopped") }),
};
const FATHER_NOTICES: Notices<FatherNotice> = {
  stop: new FieldTable<Extract<FatherNotice, { readonly kind: "stop" }>>({
    kind: oneOf("stop"),
    signal: optional(oneOf("SIGINT", "SIGTERM")),
  }),
  "start-admitted": new FieldTable({ kind: oneOf("start-admitted"), start: isNumber }),
  wanted: new FieldTable({ kind: oneOf("wanted"), events: listOf(isText) }),
  status: new FieldTable({ kind: oneOf("status"), request: isNumber }),
  restart: new FieldTable({ kind: oneOf("restart"), worker: isNumber, request: isNumber }),
};
const BY_PROCESS = new Map<unknown, FieldTable<ProcessNotice>>(Object.entries(PROCESS_NOTICES));
const BY_FATHER = new Map<unknown, FieldTable<FatherNotice>>(Object.entries(FATHER_NOTICES));

/** @throws {BodyError} */
export function readProcessNotice(body: Uint8Array): ProcessNotice {
  return readNotice(BY_PROCESS, body);
}

/** @throws {BodyError} */
export function readFatherNotice(body: Uint8Array): FatherNotice {
  return readNotice(BY_FATHER, body);
}

export function processNoticeText(notice: ProcessNotice): string {
  return BY_PROCESS.get(notice.kind)?.write(notice) ?? "";
}

export function fatherNoticeText(notice: FatherNotice): string {
  return BY_FATHER.get(notice.kind)?.write(notice) ?? "";
}

function readNotice<N extends object>(tables: ReadonlyMap<unknown, FieldTable<N>>, body: Uint8Array): N {
  const notice = readJson(body);
  const kind = isRecord(notice) ? notice["kind"] : undefined;
  const table = tables.get(kind);
  if (table === undefined) throw new BodyError("a notice of an unknown kind");
  return table.read(notice, `a notice "${kind}"`);
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
