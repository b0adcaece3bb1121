import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BrokerFault,
  faultFields,
  readFault,
  readThrown,
  type ThrownError,
  thrownFields,
  toError,
  toFault,
} from "../../../src/core/faults.ts";
import { faultOf } from "../../../src/core/call/outcomes.ts";
import { AnswerKind } from "../../../src/core/wire/columns.ts";

const INNER: ThrownError = { name: "IOError", message: "no disk", stack: "IOError: no disk", data: { disk: 1 } };

/** A value of each field; the compiler asks for all of them. */
const FAULTS: { readonly [C in BrokerFault["code"]]: Required<Omit<Extract<BrokerFault, { code: C }>, "cause">> } = {
  TIMEOUT: { code: "TIMEOUT", timeoutMs: 500, attempts: 2, sent: true, peer: "blocked" },
  REMOTE: {
    code: "REMOTE",
    message: "all failed",
    remoteName: "AggregateError",
    remoteStack: "AggregateError: all failed",
    data: { code: 5 },
    errors: [INNER, { name: "AggregateError", message: "", stack: "", errors: [INNER] }],
  },
  UNKNOWN_COMMAND: { code: "UNKNOWN_COMMAND", nearest: "get_report" },
  UNKNOWN_MODULE: { code: "UNKNOWN_MODULE", nearest: "sla" },
  GONE: { code: "GONE", reason: "process exited with code 3", exitCode: 3, signal: "SIGTERM", lastLines: ["a", "b"] },
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

test("what a handler threw carries every field over the wire", () => {
  const thrown: Required<ThrownError> = { ...INNER, data: { disk: 1 }, errors: [INNER] };
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
