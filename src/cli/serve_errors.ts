/**
 * Errors of calls as the errors of JSON-RPC answers.
 *
 * @module
 */

import {
  BrokerError,
  CallTimeoutError,
  ProcessGoneError,
  RemoteError,
  UnknownCommandError,
} from "../core/errors/mod.ts";
import { type ErrorFields, RpcCode } from "../core/program/message.ts";
import { messageOf } from "../core/thrown.ts";

/**
 * The specification's own codes where there is one, else -32000; `data.code` is that of the call's error, and the error of a
 * command has its class and stack in `data.name` and `data.stack`, its own data in `data.data`.
 */
export function answerError(error: unknown): ErrorFields {
  if (!(error instanceof BrokerError)) {
    return { code: RpcCode.internal, message: messageOf(error) };
  }
  const { code, message } = error;
  return { code: numberOf(error), message: message || error.reason, data: { code, ...factsOf(error) } };
}

function numberOf(error: BrokerError): number {
  if (error.code === "UNKNOWN_COMMAND") return RpcCode.methodNotFound;
  return error.code === "CANCELLED" ? RpcCode.cancelled : RpcCode.server;
}

function factsOf(error: BrokerError): object {
  if (error instanceof RemoteError) {
    const { remoteName, remoteStack, data } = error;
    return { name: remoteName, stack: remoteStack, ...(data === undefined ? {} : { data }) };
  }
  if (error instanceof UnknownCommandError) return { nearest: error.nearest };
  if (error instanceof CallTimeoutError) return { timeoutMs: error.timeoutMs, peer: error.peer };
  if (error instanceof ProcessGoneError) {
    return { exitCode: error.exitCode, signal: error.signal, lastLines: error.lastLines };
  }
  return {};
}
