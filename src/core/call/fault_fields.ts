/**
 * Errors as they cross, as one table of fields each. What a peer sent of one is wire input, of which nothing is believed.
 *
 * @module
 */

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
} from "../field_checks.ts";
import { AnswerKind } from "../wire/answer_kind.ts";
import { type Fields, FieldTable } from "../wire/fields.ts";
import { isRecord } from "../is_record.ts";
import type { BrokerFault, ThrownError } from "./wire_error.ts";

type Code = BrokerFault["code"];
/** What made the caller cancel stays with the caller. */
type Travelling<C extends Code> = Omit<Extract<BrokerFault, { readonly code: C }>, "cause">;

const THROWN_CHECKS: FieldChecks<ThrownError> = {
  name: isName,
  message: isText,
  stack: isText,
  data: isAnything,
  errors: optional(listOf(isThrown)),
};
const THROWN = new FieldTable<ThrownError>(THROWN_CHECKS, {
  name: "Error",
  message: "",
  stack: "",
  errors: undefined,
});

const FAULTS: { readonly [C in Code]: FieldTable<Travelling<C>> } = {
  TIMEOUT: new FieldTable({
    code: oneOf("TIMEOUT"),
    timeoutMs: isNumber,
    attempts: isNumber,
    sent: isBoolean,
    peer: oneOf("blocked", "slow"),
  }, { timeoutMs: 0, attempts: 0, sent: false, peer: "slow" }),
  REMOTE: new FieldTable<Travelling<"REMOTE">>({
    code: oneOf("REMOTE"),
    message: isText,
    remoteName: isName,
    remoteStack: isText,
    data: isAnything,
    errors: optional(listOf(isThrown)),
  }, { code: "REMOTE", message: "", remoteName: "Error", remoteStack: "", errors: undefined }),
  UNKNOWN_COMMAND: new FieldTable({ code: oneOf("UNKNOWN_COMMAND"), nearest: orNull(isName) }, { nearest: null }),
  UNKNOWN_MODULE: new FieldTable({ code: oneOf("UNKNOWN_MODULE"), nearest: orNull(isName) }, { nearest: null }),
  GONE: new FieldTable({
    code: oneOf("GONE"),
    reason: isText,
    exitCode: orNull(isNumber),
    signal: orNull(isName),
    lastLines: listOf(isText),
  }, { reason: "", exitCode: null, signal: null, lastLines: [] }),
  CANCELLED: new FieldTable({ code: oneOf("CANCELLED"), acknowledged: isBoolean }, { acknowledged: false }),
  QUEUE_FULL: new FieldTable(
    { code: oneOf("QUEUE_FULL"), depth: isNumber, limit: isNumber },
    { depth: 0, limit: 0 },
  ),
  PAYLOAD: new FieldTable({
    code: oneOf("PAYLOAD"),
    reason: isText,
    bytes: orNull(isNumber),
    limit: isNumber,
  }, { reason: "", bytes: null, limit: 0 }),
};
const BY_CODE = new Map<unknown, Fields<BrokerFault>>(Object.entries(FAULTS));

/** What an answer of this kind says went wrong, or undefined where it has a result. */
export function faultOf(kind: number, value: unknown): BrokerFault | undefined {
  if (kind === AnswerKind.value || kind === AnswerKind.nothing) return undefined;
  if (kind === AnswerKind.fault) return readFault(value);
  const { name, message, stack, ...more } = readThrown(value);
  return { code: "REMOTE", message, remoteName: name, remoteStack: stack, ...more };
}

/** What a peer says its handler threw; anything it leaves out is empty. */
export function readThrown(value: unknown): ThrownError {
  return THROWN.read(withErrors(value), "what a handler threw");
}

/** What a peer says is the fault; one that can't be understood becomes a remote error that says so. */
export function readFault(value: unknown): BrokerFault {
  const table = isRecord(value) ? BY_CODE.get(value["code"]) : undefined;
  return (table ?? FAULTS.REMOTE).read(withErrors(value), "a fault");
}

/** Whether `error` is one of brokkr's own. */
export function isFault({ code }: { readonly code: unknown }): boolean {
  return BY_CODE.has(code);
}

/** What of a fault travels. */
export function faultFields(fault: BrokerFault): object {
  return BY_CODE.get(fault.code)?.pick(fault) ?? fault;
}

/** What of a thrown value travels. */
export function thrownFields(thrown: ThrownError): object {
  return THROWN.pick(thrown);
}

/** The errors within one are read as it is. */
function withErrors(value: unknown): unknown {
  if (!isRecord(value) || !Array.isArray(value["errors"])) return value;
  return { ...value, errors: value["errors"].map(readThrown) };
}

/** Whether all of it is there, as a process says it of itself. */
export function isThrown(value: unknown): value is ThrownError {
  return objectOf(THROWN_CHECKS)(value);
}

function isName(value: unknown): value is string {
  return isText(value) && value !== "";
}
