import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readConfig } from "../../src/cli/config/read_config.ts";
import { faultsOf, inFolder, runtime } from "./config_faults.ts";

test("readConfig() takes comments, trailing commas and a byte order mark, and keeps the order of the modules", () =>
  inFolder(async (folder) => {
    const file = join(folder, "brokkr.jsonc");
    writeFileSync(
      file,
      '\ufeff{ "name": "main", /* all */ "modules": { "b": {"path":"a.js"}, "10": {"path":"./a.js","cwd":"sub"}, ' +
        '"9": {"path":"a.js","workers":2,"options":null}, "__proto__": {"path":"a.js"} }, // end\n "log": {"file":"b.log"},}',
    );
    const config = await readConfig(file, runtime);
    assert.deepEqual(config.modules.map(({ name }) => name), ["b", "10", "9", "__proto__"]);
    assert.deepEqual(config.modules.map((module) => "workers" in module ? module.workers : undefined), [
      null,
      null,
      2,
      null,
    ]);
    assert.equal(config.modules[1]?.settings.cwd, join(folder, "sub"));
    assert.deepEqual(config.modules[2]?.settings, { options: null });
    assert.equal(config.log.file, join(folder, "b.log"));
    assert.equal(config.load, "own");
  }));

test("readConfig() offers the nearest name of an unknown key", async () => {
  assert.deepEqual(
    await faultsOf(
      '{\n  "nam": "x",\n  "name": "b",\n  "modules": { "a": { "path": "a.js", "worker": 2 } },\n  "zzz": 1\n}',
    ),
    [
      'brokkr.json:2:3: unknown key "nam": did you mean "name"',
      'brokkr.json:4:39: unknown key "worker": did you mean "workers"',
      'brokkr.json:5:3: unknown key "zzz": known are $schema, name, call, load, modules, log, cluster, product, startConcurrency, standby, sweep',
    ],
  );
});

test("readConfig() refuses image with load as the nearest name", async () => {
  assert.deepEqual(await faultsOf('{ "name": "b", "image": "all", "modules": {} }'), [
    'brokkr.json:1:16: unknown key "image": did you mean "load"',
  ]);
});

test("readConfig() says where timeoutMs, retry and calls of a module and a program are wrong", async () => {
  assert.deepEqual(
    await faultsOf(
      '{ "name": "b", "modules": {\n' +
        '  "a": { "path": "a.js", "timeoutMs": 0, "retry": "twice", "calls": { "c": { "timeout": 1 }, "d": 5 } },\n' +
        '  "p": { "command": ["x"], "timeoutMs": "1s", "calls": [] } } }',
    ),
    [
      "brokkr.json:2:39: modules.a.timeoutMs must be a number of milliseconds above 0, and it is 0",
      'brokkr.json:2:51: modules.a.retry must be one of "once", "never", and it is "twice"',
      'brokkr.json:2:78: unknown key "timeout": did you mean "timeoutMs"',
      "brokkr.json:2:99: modules.a.calls.d must be an object, and it is 5",
      'brokkr.json:3:41: modules.p.timeoutMs must be a number of milliseconds above 0, and it is "1s"',
      "brokkr.json:3:56: modules.p.calls must be an object of commands by name, and it is a list",
    ],
  );
});

test("readConfig() says what a value is and what it should be", async () => {
  assert.deepEqual(
    await faultsOf(
      '{ "name": "a b", "load": "none",\n' +
        '  "call": { "timeoutMs": "1s", "retry": "twice" },\n' +
        '  "log": { "level": "loud", "maxBytes": 1.5, "keep": 0, "aligned": "yes", "file": "" },\n' +
        '  "product": 1, "modules": { "a": { "path": "a.js", "workers": "two", "restart": "now",\n' +
        '    "env": "TOKEN", "concurrency": 0, "queue": -1, "cwd": 7 } } }',
    ),
    [
      'brokkr.json:1:11: name must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "a b"',
      'brokkr.json:1:26: load must be one of "own", "all", and it is "none"',
      'brokkr.json:2:26: call.timeoutMs must be a number of milliseconds above 0, and it is "1s"',
      'brokkr.json:2:41: call.retry must be one of "once", "never", and it is "twice"',
      'brokkr.json:3:21: log.level must be one of "debug", "info", "warning", "error", "fatal", and it is "loud"',
      "brokkr.json:3:41: log.maxBytes must be a whole number of at least 1024, and it is 1.5",
      "brokkr.json:3:54: log.keep must be a whole number of at least 1, and it is 0",
      'brokkr.json:3:68: log.aligned must be true or false, and it is "yes"',
      'brokkr.json:3:83: log.file must be a path, and it is ""',
      "brokkr.json:4:14: product must be a text, and it is 1",
      'brokkr.json:4:64: modules.a.workers must be a whole number of at least 0, and it is "two"',
      'brokkr.json:4:82: modules.a.restart must be one of "always", "on-failure", "never", and it is "now"',
      "brokkr.json:5:12: modules.a.env must be a list of names of environment variables, or an object of values by name, and it is a text",
      "brokkr.json:5:36: modules.a.concurrency must be a whole number of at least 1, and it is 0",
      "brokkr.json:5:48: modules.a.queue must be a whole number of at least 0, and it is -1",
      "brokkr.json:5:59: modules.a.cwd must be a path, and it is 7",
    ],
  );
});

test("readConfig() says what is wrong in settings of supervision, with its place", async () => {
  assert.deepEqual(
    await faultsOf(
      '{ "name": "b", "modules": { "a": { "path": "a.js", "restart": { "polcy": "never", "jitter": 2 },\n' +
        '  "heartbeat": { "onBlocked": "kill" }, "memory": [], "drainMs": 0, "after": "c" } } }',
    ),
    [
      'brokkr.json:1:65: unknown key "polcy": did you mean "policy"',
      "brokkr.json:1:93: modules.a.restart.jitter must be a number from 0 to 1, and it is 2",
      'brokkr.json:2:31: modules.a.heartbeat.onBlocked must be one of "report", "restart", and it is "kill"',
      "brokkr.json:2:51: modules.a.memory must be an object, and it is a list",
      "brokkr.json:2:66: modules.a.drainMs must be a number of milliseconds above 0, and it is 0",
      'brokkr.json:2:78: modules.a.after must be a list of names of modules, and it is "c"',
    ],
  );
});

test("readConfig() refuses modules that wait for each other, and names that nobody has", async () => {
  const modules = (a: string, b: string) =>
    `{ "name": "x", "modules": {\n "a": { "path": "a.js", "after": ["${a}"] },\n "b": { "path": "a.js", "after": ["${b}"] } } }`;
  assert.deepEqual((await faultsOf(modules("b", "a"))).filter((line) => line.includes("after")), [
    "brokkr.json:3:34: modules.b.after is wrong: modules wait for each other: a → b → a",
  ]);
  assert.deepEqual((await faultsOf(modules("b", "bb"))).filter((line) => line.includes("after")), [
    'brokkr.json:3:34: modules.b.after is wrong: module "b" comes after "bb", which does not exist, did you mean "b"',
  ]);
});

test("readConfig() says what is missing and what is no object", async () => {
  assert.deepEqual(await faultsOf("{}"), [
    "brokkr.json:1:1: name is missing, add it",
    "brokkr.json:1:1: modules is missing, add it",
  ]);
  assert.deepEqual(await faultsOf('{"name":"b","modules":{"a":{}}}'), [
    "brokkr.json:1:28: modules.a.path is missing, add it",
  ]);
  assert.deepEqual(await faultsOf("[]"), ["brokkr.json:1:1: the configuration must be an object, and it is a list"]);
  assert.deepEqual(await faultsOf('{"name":"b","modules":{"a":[]},"call":[],"log":3}'), [
    "brokkr.json:1:28: modules.a must be an object, and it is a list",
    "brokkr.json:1:39: call must be an object, and it is a list",
    "brokkr.json:1:48: log must be an object, and it is 3",
  ]);
  assert.deepEqual(await faultsOf('{"name":"b","modules":[]}'), [
    "brokkr.json:1:23: modules must be an object of modules by name, and it is a list",
  ]);
});

test("readConfig() refuses a duplicate key with both places", async () => {
  assert.deepEqual(await faultsOf('{\n  "name": "b",\n  "modules": {},\n  "name": "c"\n}'), [
    'brokkr.json:4:3: duplicate key "name": it is in line 2 too, remove one',
  ]);
});

test("readConfig() tells a duplicate key together with all other faults, in the order of the text", async () => {
  assert.deepEqual(
    await faultsOf(
      '{ "name": 1,\n "modules": { "a": { "path": "a.js", "path": "b.js", "pat": 1 } }, "nme": 2, "nme": 3 }',
    ),
    [
      "brokkr.json:1:11: name must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is 1",
      'brokkr.json:2:38: duplicate key "path": it is in line 2 too, remove one',
      'brokkr.json:2:54: unknown key "pat": did you mean "path"',
      'brokkr.json:2:68: unknown key "nme": did you mean "name"',
      'brokkr.json:2:78: duplicate key "nme": it is in line 2 too, remove one',
    ],
  );
});

test("readConfig() refuses keys that contradict each other, where the one that is written stands", async () => {
  const restart = async (text: string) =>
    await faultsOf(`{"name":"b","modules":{"a":{"path":"a.js",\n"restart":${text}}}}`);
  assert.deepEqual(await restart('{"delayMs":200,"maxDelayMs":100}'), [
    "brokkr.json:2:22: modules.a.restart.delayMs must be at most maxDelayMs (100), and it is 200",
  ]);
  assert.deepEqual(await restart('{"delayMs":40000}'), [
    "brokkr.json:2:22: modules.a.restart.delayMs must be at most maxDelayMs (30000 by default), and it is 40000",
  ]);
  assert.deepEqual(await restart('{"maxDelayMs":50}'), [
    "brokkr.json:2:25: modules.a.restart.maxDelayMs must be at least delayMs (100 by default), and it is 50",
  ]);
  assert.deepEqual(await restart('{"delayMs":100,"maxDelayMs":100}'), []);
  assert.deepEqual(
    await faultsOf(
      '{"name":"b","modules":{"a":{"path":"a.js","heartbeat":{"intervalMs":20000},\n' +
        '"memory":{"warnBytes":2,"recycleBytes":1}},"c":{"path":"a.js","heartbeat":{"timeoutMs":100}}}}',
    ),
    [
      "brokkr.json:1:69: modules.a.heartbeat.intervalMs must be at most timeoutMs (15000 by default), and it is 20000",
      "brokkr.json:2:23: modules.a.memory.warnBytes must be at most recycleBytes (1), and it is 2",
    ],
  );
  assert.deepEqual(await restart('{"factor":0.5,"jitter":1.5,"windowMs":0,"zitter":1}'), [
    "brokkr.json:2:21: modules.a.restart.factor must be a number of at least 1, and it is 0.5",
    "brokkr.json:2:34: modules.a.restart.jitter must be a number from 0 to 1, and it is 1.5",
    "brokkr.json:2:49: modules.a.restart.windowMs must be a number of milliseconds above 0, and it is 0",
    'brokkr.json:2:51: unknown key "zitter": did you mean "jitter"',
  ]);
  assert.deepEqual(await restart("[]"), ["brokkr.json:2:11: modules.a.restart must be an object, and it is a list"]);
});

test("readConfig() says what is wrong in permissions", async () => {
  const faults = await faultsOf(
    '{"name":"b","modules":{"a":{"path":"a.js","permissions":{\n"net":"all","read":["./a,b",""],"nett":[],"env":{}}}}}',
  );
  assert.deepEqual(faults.filter((line) => !line.includes("cannot be kept")), [
    'brokkr.json:2:7: modules.a.permissions.net must be true, false or a list of hosts, and it is "all"',
    'brokkr.json:2:21: modules.a.permissions.read.0 must be a path without commas, and it is "./a,b"',
    'brokkr.json:2:29: modules.a.permissions.read.1 must be a path without commas, and it is ""',
    'brokkr.json:2:33: unknown key "nett": did you mean "net"',
    "brokkr.json:2:49: modules.a.permissions.env must be true, false or a list of variables, and it is an object",
  ]);
});

test("readConfig() names the place of a syntax error", async () => {
  assert.deepEqual(await faultsOf('{ "name": "b"\n  "modules": {} }'), [
    "brokkr.json:2:3: a comma is missing before this",
  ]);
  assert.deepEqual(await faultsOf('{ "name": b }'), [
    "brokkr.json:1:11: this is neither a text in double quotes, a number, true, false nor null",
  ]);
  assert.deepEqual(await faultsOf(" \n"), [
    'brokkr.json:1:1: the file is empty, it must have at least "name" and "modules"',
  ]);
  assert.deepEqual(await faultsOf(new Uint8Array([0xff, 0xfe])), [
    "brokkr.json: it is not UTF-8 text, save it as such",
  ]);
});

test("readConfig() refuses names that are equal or that no process may have", async () => {
  assert.deepEqual(
    await faultsOf(
      '{"name":"a-1","modules":{\n"a":{"path":"a.js","workers":2},\n"a-2":{"path":"a.js"},\n"a-1":{"path":"a.js"},\n' +
        '"a b":{"path":"a.js"}}}',
    ),
    [
      'brokkr.json:2:1: worker "a-1" has the name of another process, rename one of them',
      'brokkr.json:2:1: worker "a-2" has the name of another process, rename one of them',
      `brokkr.json:4:1: module "a-1" has the broker's name, rename one of them`,
      "brokkr.json:5:1: the name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -",
    ],
  );
});

test("readConfig() finds a worker's name among few modules as among many", async () => {
  assert.deepEqual(
    await faultsOf(
      '{"name":"b","modules":{\n"a":{"path":"a.js","workers":9},"a-9":{"path":"a.js"},"a-10":{"path":"a.js"},"a-09":{"path":"a.js"}}}',
    ),
    [
      'brokkr.json:2:1: worker "a-9" has the name of another process, rename one of them',
    ],
  );
});

test("readConfig() refuses what is nested without end, at its place, before it reads it", async () => {
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]]) {
    const text = `{"name":"b",\n"modules":{"a":{"path":"a.js","options":${open?.repeat(100_000)}1${
      close?.repeat(100_000)
    }}}}`;
    const column = 41 + 197 * (open?.length ?? 0);
    assert.deepEqual(await faultsOf(text), [
      `brokkr.json:2:${column}: this is nested more than 200 deep, name a configuration`,
    ]);
  }
  // Also where it is not closed.
  assert.equal(
    (await faultsOf("[".repeat(100_000)))[0],
    "brokkr.json:1:201: this is nested more than 200 deep, name a configuration",
  );
  assert.deepEqual(
    await faultsOf(`{"name":"b","modules":{"a":{"path":"a.js","options":${"[".repeat(197)}1${"]".repeat(197)}}}}`),
    [],
  );
});
