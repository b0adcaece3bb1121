import assert from "node:assert/strict";
import { test } from "node:test";
import { UnknownModuleError } from "../../../src/core/faults.ts";
import { stackFrom, stackLines, userStack } from "../../../src/core/log/stack.ts";
import { applyUser } from "../../../src/core/user_code.ts";

/** Names of the functions in a stack as it is logged, where nothing is known of anyone's files: as in a bundle. */
function functionsOf(stack: string): string[] {
  const lines = stackLines({ name: "Error", message: "bang", stack }, []);
  return lines.flatMap((line) => / in (.*)$/.exec(line)?.[1] ?? []);
}

function bang(): never {
  const error = new Error("bang");
  throw error;
}

function caught(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
  throw new Error("nothing was thrown");
}

test("userStack() ends where brokkr called the user's function", () => {
  const error = caught(() => applyUser(bang, undefined, []));
  assert.ok(functionsOf(String(error.stack)).length > 2);
  assert.deepEqual(functionsOf(userStack(String(error.stack))), ["bang"]);
});

test("userStack() leaves the user's nameless function one that was called, not the top level of a module", () => {
  const error = caught(() =>
    applyUser(
      [() => {
        const made = new Error("bang");
        throw made;
      }][0] ?? bang,
      undefined,
      [],
    )
  );
  assert.deepEqual(functionsOf(userStack(String(error.stack))), ["<anonymous>"]);
});

test("userStack() leaves a stack as it is that brokkr's call is no part of", () => {
  for (const stack of ["", "Error: bang", String(caught(bang).stack), "Traceback (most recent call last):\n  x"]) {
    assert.equal(userStack(stack), stack);
  }
});

test("applyUser() gives what the function gives, with its this and its parameters", () => {
  function sum(this: number, a: number, b: number): number {
    return this + a + b;
  }
  assert.equal(applyUser(sum, 1, [2, 3]), 6);
});

test("stackFrom() makes the stack begin where the function is awaited, and is for brokkr's errors only", async () => {
  async function own(error: Error): Promise<never> {
    await undefined;
    throw stackFrom(error, own);
  }
  async function user(error: Error): Promise<void> {
    await own(error);
  }
  const made = new UnknownModuleError({ target: "bang", command: "c" }, { nearest: null });
  await assert.rejects(user(made));
  const lines = String(made.stack).split("\n").filter((line) => line.trim().startsWith("at "));
  assert.match(lines[0] ?? "", /^ +at async user /);
  const others = new Error("bang");
  const { stack } = others;
  await assert.rejects(user(others));
  assert.equal(others.stack, stack);
});
