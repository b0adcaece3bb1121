import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokerError,
  type BrokerFault,
  faultFields,
  readFault,
  readThrown,
  type ThrownError,
  thrownFields,
  toError,
  toFault,
} from "../../src/core/faults.ts";
import { faultOf } from "../../src/core/call/outcomes.ts";
import { AnswerKind } from "../../src/core/wire/frame.ts";

const INNER: ThrownError = { name: "IOError", message: "no disk", stack: "IOError: no disk", data: { disk: 1 } };

/** A value of each field; the compiler asks for all of them. */
const FAULTS: { readonly [C in BrokerFault["code"]]: Required<Omit<Extract<BrokerFault, { code: C }>, "cause">> } = {
  TIMEOUT: { code: "TIMEOUT", timeoutMs: 500, attempts: 2, sent: true, peer: "blocked", detail: "exit code 1" },
  REMOTE: {
    code: "REMOTE",
    message: "all failed",
    remoteName: "AggregateError",
    remoteStack: "AggregateError: all failed",
    data: { code: 5 },
    errors: [INNER, { name: "AggregateError", message: "", stack: "", errors: [INNER] }],
    expected: true,
  },
  UNKNOWN_COMMAND: { code: "UNKNOWN_COMMAND", nearest: "get_report" },
  UNKNOWN_MODULE: { code: "UNKNOWN_MODULE", nearest: "sla" },
  GONE: {
    code: "GONE",
    reason: "process exited with code 3",
    exitCode: 3,
    signal: "SIGTERM",
    lastLines: ["a", "b"],
    detail: "it has no disk",
  },
  CANCELLED: { code: "CANCELLED", acknowledged: true },
  QUEUE_FULL: { code: "QUEUE_FULL", depth: 7, limit: 6 },
  PAYLOAD: { code: "PAYLOAD", reason: "payload of 5 bytes is over the limit of 4", bytes: 5, limit: 4 },
};

function travelled(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

for (const fault of Object.values(FAULTS)) {
  test(`fault ${fault.code} carries every field over the wire, and through its error`, () => {
    assert.deepEqual(readFault(travelled(faultFields(fault))), fault);
    const error = toError(fault, { target: "sla", command: "get" });
    assert.equal(error.code, fault.code);
    assert.deepEqual(toFault(error), fault);
  });

  test(`fault ${fault.code} of which a peer says nothing, or nothing right, is read with what is known`, () => {
    const known = readFault({ code: fault.code });
    const wrong = Object.fromEntries(Object.keys(fault).map((key) => [key, new Date(0)]));
    const { data: _, ...others } = { data: null, ...readFault({ ...wrong, code: fault.code }) };
    assert.deepEqual(others, known);
    assert.equal(toError(known, { target: "sla", command: "get" }).code, fault.code);
  });
}

/** Class, text of the log line, and message of each. */
const WORDINGS: { readonly [C in BrokerFault["code"]]: readonly [name: string, reason: string, message: string] } = {
  TIMEOUT: [
    "CallTimeoutError",
    "timeout (0.5s)",
    'Cannot call command "get" of module "sla": timeout (0.5s): module "sla" is blocked, 2 attempts',
  ],
  REMOTE: ["RemoteError", "all failed", "all failed"],
  UNKNOWN_COMMAND: [
    "UnknownCommandError",
    "unknown command",
    'Cannot call command "get" of module "sla": unknown command, did you mean "get_report"',
  ],
  UNKNOWN_MODULE: [
    "UnknownModuleError",
    "unknown module",
    'Cannot call command "get" of module "sla": unknown module, did you mean "sla"',
  ],
  GONE: [
    "ProcessGoneError",
    "process exited with code 3",
    'Cannot call command "get" of module "sla": process exited with code 3: it has no disk; its last lines: a | b',
  ],
  CANCELLED: ["CallCancelledError", "cancelled", 'Cannot call command "get" of module "sla": cancelled'],
  QUEUE_FULL: ["QueueFullError", "queue is full (6)", 'Cannot call command "get" of module "sla": queue is full (6)'],
  PAYLOAD: [
    "PayloadError",
    "payload of 5 bytes is over the limit of 4",
    'Cannot call command "get" of module "sla": payload of 5 bytes is over the limit of 4',
  ],
};

for (const fault of Object.values(FAULTS)) {
  test(`fault ${fault.code} is an error of its class, with its reason and its message`, () => {
    const error = toError(fault, { target: "sla", command: "get" });
    assert.ok(error instanceof BrokerError);
    assert.deepEqual([error.name, error.reason, error.message], WORDINGS[fault.code]);
    assert.equal(error.constructor.name, error.name);
  });
}

test("what a handler threw carries every field over the wire", () => {
  const thrown: Required<ThrownError> = { ...INNER, data: { disk: 1 }, errors: [INNER], expected: true };
  assert.deepEqual(readThrown(travelled(thrownFields(thrown))), thrown);
  const { name, message, stack, ...more } = thrown;
  assert.deepEqual(faultOf(AnswerKind.thrown, thrown), {
    code: "REMOTE",
    message,
    remoteName: name,
    remoteStack: stack,
    ...more,
  });
});

test("a fault of an unknown code, or that is none, is a remote error", () => {
  const none = { code: "REMOTE", message: "", remoteName: "Error", remoteStack: "" };
  assert.deepEqual(readFault({ code: "LOST", message: "gone" }), { ...none, message: "gone" });
  for (const value of [null, 5, "x", [], { errors: 5 }]) assert.deepEqual(readFault(value), none);
  assert.deepEqual(readFault({ errors: [null] }), { ...none, errors: [{ name: "Error", message: "", stack: "" }] });
});

test("what made a caller cancel stays with it", () => {
  assert.deepEqual(faultFields({ code: "CANCELLED", acknowledged: false, cause: new Error("mine") }), {
    code: "CANCELLED",
    acknowledged: false,
  });
});

test("a call that waited for a start that failed says why, and a process that was ready has nothing to add", () => {
  const target = { target: "sla", command: "get" };
  const waited = { code: "TIMEOUT", timeoutMs: 500, attempts: 0, sent: false, peer: "blocked" } as const;
  const never =
    'Cannot call command "get" of module "sla": timeout (0.5s): it was never sent, since module "sla" did not ' +
    "become ready";
  assert.equal(toError(waited, target).message, `${never} or free`);
  assert.equal(toError({ ...waited, detail: "it has no disk" }, target).message, `${never}: it has no disk`);
  const gone = { code: "GONE", reason: "process did not start", exitCode: 1, signal: null, lastLines: ["a"] } as const;
  assert.equal(
    toError(gone, { ...target, action: "start" }).message,
    'Cannot start module "sla": process did not start; its last lines: a',
  );
});
