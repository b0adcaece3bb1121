import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { commandMap, defineModule, toModule } from "../../../src/core/module/module.ts";

/** Defines what TypeScript would refuse, as plain JavaScript may. */
function define(definition: unknown): unknown {
  return toModule(definition);
}

class Greeter {
  hello(name: string): string {
    return `hello ${name}`;
  }
}

const HOW = "write each as { hello: (name) => it.hello(name) }";

for (
  const [definition, message] of [
    [null, "A module must be an object, and it is null"],
    ["sla", 'A module must be an object, and it is "sla"'],
    [[], "A module must be an object, and it is a list"],
    [{}, "The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is undefined"],
    [{ name: "" }, 'The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is ""'],
    [{ name: "a b" }, 'The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "a b"'],
    [{ name: "a\n" }, 'The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "a\\n"'],
    [{ name: "é" }, 'The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "é"'],
    [{ name: 5 }, "The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is 5"],
    [
      { name: "x".repeat(101) },
      `The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "${"x".repeat(100)}…"`,
    ],
    [
      { name: "sla", commands: [] },
      'Module "sla": commands must be an object of functions or a function that returns one, and is a list',
    ],
    [
      { name: "sla", commands: new Greeter() },
      `Module "sla": commands must be a plain object of functions, and it is an instance of Greeter: ${HOW}`,
    ],
    [
      { name: "sla", commands: new Map([["get", () => 1]]) },
      `Module "sla": commands must be a plain object of functions, and it is a Map: ${HOW}`,
    ],
    [
      { name: "sla", workers: { count: 1, commands: Object.create({ get: () => 1 }) } },
      `Module "sla": workers.commands must be a plain object of functions, and it is an instance of Object: ${HOW}`,
    ],
    [{ name: "sla", memory: new Map() }, 'Module "sla": memory: a plain object is needed, and it is a Map'],
    [{ name: "sla", commands: { get: 1 } }, 'Module "sla": commands: "get" must be a function, and it is 1'],
    [{ name: "sla", afterForkCleanup: true }, 'Module "sla": afterForkCleanup must be a function, and it is true'],
    [{ name: "sla", start: {} }, 'Module "sla": start must be a function, and it is an object'],
    [{ name: "sla", stop: "x" }, 'Module "sla": stop must be a function, and it is "x"'],
    [{ name: "sla", owns: {} }, 'Module "sla": owns must be a list, and it is an object'],
    [
      { name: "sla", owns: [new Map(), {}] },
      'Module "sla": owns[1] must have Symbol.asyncDispose, Symbol.dispose, close(), destroy(), end() or clear(), or be a function, and it is an object',
    ],
    [{ name: "sla", workers: 2 }, 'Module "sla": workers must be an object, and it is 2'],
    [{ name: "sla", workers: { commands: {} } }, 'Module "sla": workers.count is missing'],
    [
      { name: "sla", workers: { count: -1, commands: {} } },
      'Module "sla": workers.count must be a whole number of at least 0, and it is -1',
    ],
    [
      { name: "sla", workers: { count: 1, commands: { x: null } } },
      'Module "sla": workers.commands: "x" must be a function, and it is null',
    ],
    [
      { name: "sla", workers: { count: 1, commands: {}, afterForkCleanup: 1 } },
      'Module "sla": workers.afterForkCleanup must be a function, and it is 1',
    ],
    [
      { name: "sla", restart: "sometimes" },
      'Module "sla": restart must be "always", "on-failure" or "never", and it is "sometimes"',
    ],
    [
      { name: "sla", restart: 3 },
      'Module "sla": restart must be "always", "on-failure", "never" or an object, and it is 3',
    ],
    [
      { name: "sla", restart: { delay: 1 } },
      'Module "sla": restart: unknown key "delay": known are policy, delayMs, factor, maxDelayMs, jitter, minUptimeMs, ' +
      "maxRestarts, windowMs, escalate",
    ],
    [
      { name: "sla", restart: { jitter: 2 } },
      'Module "sla": restart.jitter must be a number from 0 to 1, and it is 2',
    ],
    [
      { name: "sla", restart: { maxRestarts: 1.5 } },
      'Module "sla": restart.maxRestarts must be a whole number of at least 0, and it is 1.5',
    ],
    [
      { name: "sla", restart: { escalate: "exit" } },
      'Module "sla": restart.escalate must be "ignore" or "stop-broker", and it is "exit"',
    ],
    [{ name: "sla", drainMs: 0 }, 'Module "sla": drainMs must be a number above 0, and it is 0'],
    [{ name: "sla", descendants: "spare" }, 'Module "sla": descendants must be "kill" or "keep", and it is "spare"'],
    [{ name: "sla", output: 5 }, 'Module "sla": output must be an object, and it is 5'],
    [
      { name: "sla", output: { lines: 5 } },
      'Module "sla": output: unknown key "lines": known are maxLinesPerSecond, maxLineBytes',
    ],
    [
      { name: "sla", output: { maxLineBytes: 0 } },
      'Module "sla": output.maxLineBytes must be a whole number of at least 1, and it is 0',
    ],
    [
      { name: "sla", memory: { warnBytes: 2, recycleBytes: 1 } },
      'Module "sla": memory.warnBytes must be at most recycleBytes (1), and it is 2',
    ],
    [
      { name: "sla", restart: { maxDelayMs: 50 } },
      'Module "sla": restart.maxDelayMs must be at least delayMs (100 by default), and it is 50',
    ],
    [{ name: "sla", comands: {} }, 'Module "sla": unknown key "comands": did you mean "commands"'],
    [{ name: "sla", restrat: "never" }, 'Module "sla": unknown key "restrat": did you mean "restart"'],
    [
      { name: "sla", workers: { count: 1, commands: {}, cleanup() {} } },
      'Module "sla": workers: unknown key "cleanup": known are count, commands, afterForkCleanup',
    ],
    [{ name: "sla", concurrency: 0 }, 'Module "sla": concurrency must be a whole number of at least 1, and it is 0'],
    [
      { name: "sla", concurrency: 1.5 },
      'Module "sla": concurrency must be a whole number of at least 1, and it is 1.5',
    ],
    [{ name: "sla", queue: -1 }, 'Module "sla": queue must be a whole number of at least 0, and it is -1'],
    [{ name: "sla", queue: "5" }, 'Module "sla": queue must be a whole number of at least 0, and it is "5"'],
    [{ name: "sla", cwd: 1 }, 'Module "sla": cwd must be a path, and it is 1'],
    [
      { name: "sla", env: "TOKEN" },
      'Module "sla": env must be a list of names of environment variables, or an object of values by name, and it is a text',
    ],
    [{ name: "sla", env: [1] }, 'Module "sla": env.0 must be the name of an environment variable, and it is a number'],
  ] as const
) {
  test(`defineModule() refuses with: ${message.slice(0, 90)}`, () => {
    assert.throws(() => define(definition), new TypeError(message));
  });
}

test("defineModule() returns a frozen module, which toModule() takes as it is", () => {
  const commands = { get: (month: string) => month };
  const module = defineModule({ name: "sla", commands, owns: [new Map()], env: ["TOKEN"], queue: 0, concurrency: 1 });
  assert.equal(module.name, "sla");
  assert.equal(module.definition.commands, commands);
  assert.ok(Object.isFrozen(module));
  assert.equal(toModule(module), module);
});

test("toModule() checks a plain object of the same shape, also a frozen one", () => {
  const definition = Object.freeze({ name: "plain", commands: {} });
  assert.equal(toModule(definition).definition, definition);
});

test("module with commands as a function is not asked for them when it is defined", () => {
  defineModule({ name: "lazy", commands: () => assert.fail("asked") });
});

test("defineModule() takes every key that there is", () => {
  const hook = () => {};
  const hooks = { afterForkCleanup: hook, start: hook, stop: hook };
  const supervised = {
    restart: "always",
    startTimeoutMs: 1,
    drainMs: 1,
    killMs: 1,
    after: [],
    heartbeat: {},
    memory: {},
  };
  const limits = { concurrency: 1, queue: 1, descendants: "kill", output: {}, permissions: {}, cwd: ".", env: [] };
  const workers = { count: 1, commands: {}, afterForkCleanup: hook };
  define({ name: "sla", commands: {}, owns: [], options: {}, workers, ...hooks, ...supervised, ...limits });
});

test("commandMap() has own commands only, also those with the names of an object's members", () => {
  const constructor = () => 1;
  const map = commandMap("commands", { constructor, then: constructor });
  assert.deepEqual([...map.keys()], ["constructor", "then"]);
  assert.equal(map.get("toString"), undefined);
  class Inherited {
    own = () => 1;
    inherited() {}
  }
  assert.deepEqual([...commandMap("commands", new Inherited()).keys()], ["own"]);
});

test("commandMap() takes a module's namespace, an object of another realm, and functions that an instance has itself", () => {
  const hello = () => "hello";
  const namespace: object = Object.create(null, {
    [Symbol.toStringTag]: { value: "Module" },
    hello: { value: hello, enumerable: true },
  });
  class Own {
    hello = hello;
  }
  for (const commands of [namespace, runInNewContext("({ hello() {} })"), new Own(), { hello }]) {
    assert.deepEqual([...commandMap("commands", commands).keys()], ["hello"]);
  }
  for (const commands of [{}, Object.create(null), runInNewContext("({})")]) {
    assert.equal(commandMap("commands", commands).size, 0);
  }
});
