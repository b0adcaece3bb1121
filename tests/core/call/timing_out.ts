import assert from "node:assert/strict";
import { CallTimeoutError } from "../../../src/core/faults.ts";
import { callLine } from "./conversation.ts";

export const RETRY_LINE = callLine(
  "WARNING",
  "The command call [get_module_info] for module Livestatus was sent but the call timed out (1s). We will retry one time.",
);
export const TIMEOUT_LINE = callLine(
  "ERROR",
  "Failed to send command call [get_module_info] for module Livestatus because of timeout (1s).",
);
export const ANSWERED_LINE = callLine(
  "DEBUG",
  "The command call [get_module_info] was executed by the module Livestatus in 1.500s",
);

/** A command that answers when the test says so, and how often it ran. */
export function slowCommand() {
  const waiting: ((value: unknown) => void)[] = [];
  return {
    waiting,
    commands: { get_module_info: () => new Promise<unknown>((resolve) => void waiting.push(resolve)) },
  };
}

export function timeoutFacts(error: unknown) {
  assert.ok(error instanceof CallTimeoutError, String(error));
  const { name, code, timeoutMs, attempts, sent, peer, message } = error;
  return { name, code, timeoutMs, attempts, sent, peer, message };
}
