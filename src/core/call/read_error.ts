/**
 * Reading errors that a peer sent: wire input, of which nothing is believed.
 *
 * @module
 */

import { AnswerKind } from "../frame/answer_kind.ts";
import type { BrokerFault, ThrownError } from "./wire_error.ts";

/** What an answer of this kind says went wrong, or undefined where it has a result. */
export function faultOf(kind: number, value: unknown): BrokerFault | undefined {
  if (kind === AnswerKind.value || kind === AnswerKind.nothing) return undefined;
  if (kind === AnswerKind.fault) return readFault(value);
  const { name, message, stack, data } = readThrown(value);
  return { code: "REMOTE", message, remoteName: name, remoteStack: stack, data };
}

/** What a peer says its handler threw; anything it leaves out is empty. */
function readThrown(value: unknown): ThrownError {
  const fields = fieldsOf(value);
  const data = fields.get("data");
  const described = {
    name: text(fields.get("name")) || "Error",
    message: text(fields.get("message")),
    stack: text(fields.get("stack")),
  };
  return data === undefined ? described : { ...described, data };
}

/** What a peer says is the fault; one that can't be understood becomes a remote error that says so. */
export function readFault(value: unknown): BrokerFault {
  const fields = fieldsOf(value);
  switch (fields.get("code")) {
    case "TIMEOUT":
      return {
        code: "TIMEOUT",
        timeoutMs: number(fields.get("timeoutMs")) ?? 0,
        attempts: number(fields.get("attempts")) ?? 0,
        sent: fields.get("sent") === true,
        peer: fields.get("peer") === "blocked" ? "blocked" : "slow",
      };
    case "UNKNOWN_COMMAND":
      return { code: "UNKNOWN_COMMAND", nearest: text(fields.get("nearest")) || null };
    case "UNKNOWN_MODULE":
      return { code: "UNKNOWN_MODULE", nearest: text(fields.get("nearest")) || null };
    case "GONE": {
      const lines = fields.get("lastLines");
      return {
        code: "GONE",
        reason: text(fields.get("reason")),
        exitCode: number(fields.get("exitCode")),
        signal: text(fields.get("signal")) || null,
        lastLines: Array.isArray(lines) ? lines.map(text) : [],
      };
    }
    case "CANCELLED":
      return { code: "CANCELLED", acknowledged: fields.get("acknowledged") === true };
    case "QUEUE_FULL":
      return {
        code: "QUEUE_FULL",
        depth: number(fields.get("depth")) ?? 0,
        limit: number(fields.get("limit")) ?? 0,
      };
    case "PAYLOAD":
      return {
        code: "PAYLOAD",
        reason: text(fields.get("reason")),
        bytes: number(fields.get("bytes")),
        limit: number(fields.get("limit")) ?? 0,
      };
    default:
      return {
        code: "REMOTE",
        message: text(fields.get("message")),
        remoteName: text(fields.get("remoteName")) || "Error",
        remoteStack: text(fields.get("remoteStack")),
        ...(fields.has("data") ? { data: fields.get("data") } : {}),
      };
  }
}

function fieldsOf(value: unknown): Map<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
