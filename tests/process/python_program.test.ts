import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimeoutError, defineProgram, ProcessGoneError, RemoteError } from "brokkr";
import { TestBroker } from "./broker_of.ts";
import { ROOT, withoutPython } from "./program_files.ts";

const PYTHON = { timeout: 60_000, skip: withoutPython() };

const prices = defineProgram({ name: "prices", command: ["python3", `${ROOT}examples/python/prices.py`] });

test("a Python module answers, by position and by name, and its exception brings its traceback", PYTHON, async () => {
  await using test = await TestBroker.start({ modules: [prices] });
  const { broker } = test;
  assert.equal(await broker.call(prices, "price", ["apple"]), 0.3);
  assert.equal(await broker.call(prices, "total", [{ items: { apple: 3, pear: 2 }, discount: 0.1 }]), 1.62);
  await assert.rejects(broker.call(prices, "crash", ["bang"]), (error) => {
    assert.ok(error instanceof RemoteError);
    assert.deepEqual([error.message, error.remoteName], ["bang", "ValueError"]);
    assert.match(error.remoteStack, /^Traceback[\s\S]*prices\.py", line 8, in crash/);
    return true;
  });
  const lines = test.lines(/^call\.error$/);
  assert.match(lines[0] ?? "", /Traceback \(most recent call last\):$/);
  assert.match(lines.at(-1) ?? "", /Failed to send command call \[crash\] for module prices because of error: bang$/);
});

test(
  "a Python module that hangs times out, takes the next calls with it, and is back after a restart",
  PYTHON,
  async () => {
    await using test = await TestBroker.start({
      modules: [prices],
      settings: { prices: { drainMs: 200, killMs: 200 } },
    });
    const { broker } = test;
    await assert.rejects(broker.call(prices, "hang", [], { timeoutMs: 200 }), (error) => {
      assert.ok(error instanceof CallTimeoutError);
      assert.deepEqual([error.peer, error.attempts], ["blocked", 1]);
      return true;
    });
    await assert.rejects(broker.call(prices, "price", ["apple"], { timeoutMs: 200 }), CallTimeoutError);
    await broker.restart("prices");
    assert.equal(await broker.call(prices, "price", ["pear"]), 0.45);
    assert.deepEqual(test.lines(/call\.retry/), []);
  },
);

test(
  "a Python module that ends is started again; a module is not notified; a program that is not there has failed",
  PYTHON,
  async () => {
    const missing = defineProgram({ name: "missing", command: ["/no/such/program"], restart: "never" });
    const dies = defineProgram({
      name: "dies",
      command: ["python3", "-c", "import sys; print('no JSON'); sys.exit(sys.stdin.readline() and 3)"],
      restart: "never",
    });
    await using test = await TestBroker.start({ modules: [missing, dies, { name: "sla" }] });
    const { broker } = test;
    await assert.rejects(broker.call(missing, "x"), ProcessGoneError);
    assert.match(
      test.lines(/process\.failed/).join("\n"),
      /missing will not be started again: Cannot start command "\/no\/such\/program"/,
    );
    await assert.rejects(broker.call(dies, "x"), (error) => error instanceof ProcessGoneError && error.exitCode === 3);
    assert.ok(
      test.lines(/process\.output/).some((line) => line.includes("dies wrote to stdout") && line.includes("no JSON")),
    );
    await assert.rejects(broker.notify("sla", "x"), {
      name: "TypeError",
      message: 'Cannot notify module "sla" of "x": only programs of defineProgram take notifications',
    });
  },
);
