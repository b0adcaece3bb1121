import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../src/core/module/module.ts";
import { levelFrom } from "../../../src/core/log/prefix.ts";
import { type BrokerOptions, checkOptions } from "../../../src/core/broker/options.ts";

const sla = defineModule({ name: "sla", queue: 5 });
const livestatus = defineModule({ name: "Livestatus", workers: { count: 2, commands: {} } });

/** Options as plain JavaScript may give them. */
function check(options: object) {
  const base: BrokerOptions = { name: "broker-master", modules: [livestatus, sla] };
  return checkOptions(Object.assign({ ...base }, options));
}

test("checkOptions() fills in the defaults and keeps the order of the modules", () => {
  const { modules, ...plan } = check({});
  assert.deepEqual(modules.map(({ module }) => module), [livestatus, sla]);
  assert.deepEqual(plan, {
    name: "broker-master",
    timeoutMs: 1000,
    retry: "once",
    standby: 0,
    commands: {},
    failFast: false,
    inProcess: null,
    program: undefined,
    aligned: false,
    product: "Shinken",
    sweep: true,
  });
});

test("checkOptions() takes settings over those of defineModule, and the program as path or URL", () => {
  const plan = check({ settings: { sla: { queue: 7, restart: "never" } }, program: new URL("file:///a/b.ts") });
  assert.deepEqual([plan.modules[1]?.settings.queue, plan.modules[1]?.settings.restart], [7, "never"]);
  assert.equal(plan.program, "file:///a/b.ts");
  assert.equal(check({ program: "./b.ts" }).program, "./b.ts");
});

test("checkOptions() takes a setting that is undefined for one that is left out: the module's own stays", () => {
  const secret = defineModule({ name: "secret", env: ["DB_PASSWORD"], queue: 5 });
  const settings = { secret: { env: undefined, queue: 7, restart: undefined } };
  const [plan] = check({ modules: [secret], settings }).modules;
  assert.deepEqual(plan?.settings.env, ["DB_PASSWORD"]);
  assert.deepEqual([plan?.settings.queue, plan?.settings.restart], [7, undefined]);
});

for (
  const [options, message] of [
    [{ name: "a b" }, 'Option name must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "a b"'],
    [{ name: undefined }, "Option name must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is undefined"],
    [{ modules: undefined }, "Option modules must be a list of modules"],
    [
      { modules: [{ name: "" }] },
      'The name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is ""',
    ],
    [{ settings: new Map() }, "Option settings must be an object of settings by module name, and it is a Map"],
    [{ settings: 5 }, "Option settings must be an object of settings by module name, and it is 5"],
    [{ settings: { sla: new Map() } }, 'Option settings: module "sla": a plain object is needed, and it is a Map'],
    [{ settings: { sla: 5 } }, 'Option settings: module "sla" must be an object, and it is 5'],
    [{ settings: { sla: null } }, 'Option settings: module "sla" must be an object, and it is null'],
    [
      { settings: { sla: { options: { stores: [new Map()] } } } },
      'Cannot pass its options to module "sla": options.stores[0] is a Map',
    ],
    [
      { modules: [{ name: "sla", options: () => 1 }] },
      'Cannot pass its options to module "sla": options is a function',
    ],
    [
      { modules: [{ name: "sla", options: { id: 1n } }] },
      'Cannot pass its options to module "sla": options.id is a bigint',
    ],
    [
      { modules: [{ name: "sla", options: "\u00e9".repeat(4 * 1024 * 1024) }] },
      'Cannot pass its options to module "sla": payload of 8388610 bytes is over the limit of 8388608',
    ],
    [{ settings: { slaa: {} } }, 'Option settings: there is no module "slaa"'],
    [
      { settings: { sla: { queue: -1 } } },
      'Option settings: module "sla": queue must be a whole number of at least 0, and it is -1',
    ],
    [{ call: { timeoutMs: 0 } }, "Option call.timeoutMs must be a number of milliseconds above 0, and it is 0"],
    [{ call: { timeoutMs: "1s" } }, "Option call.timeoutMs must be a number of milliseconds above 0, and it is 1s"],
    [{ call: { retry: "twice" } }, 'Option call.retry must be "once" or "never", and it is twice'],
    [{ contrl: true }, 'Options of the broker: unknown key "contrl": did you mean "control"'],
    [{ moduls: [] }, 'Options of the broker: unknown key "moduls": did you mean "modules"'],
    [
      { colour: undefined },
      'Options of the broker: unknown key "colour": known are name, modules, load, settings, call, startConcurrency, standby, ' +
      "commands, program, log, logLevel, aligned, product, cluster, control, sweep, signals, inProcess, failFast",
    ],
    [{ standby: -1 }, "Option standby must be a whole number of at least 0, and it is -1"],
    [{ startConcurrency: 0 }, "Option startConcurrency must be a whole number of at least 1, and it is 0"],
    [{ startConcurrency: 2.5 }, "Option startConcurrency must be a whole number of at least 1, and it is 2.5"],
    [{ startConcurrency: "2" }, 'Option startConcurrency must be a whole number of at least 1, and it is "2"'],
    [{ call: { timeout: 5 } }, 'Option call: unknown key "timeout": did you mean "timeoutMs"'],
    [{ call: "once" }, 'Option call must be an object, and it is "once"'],
    [
      { settings: { sla: { quue: 7 } } },
      'Option settings: module "sla": unknown key "quue": did you mean "queue"',
    ],
    [{ load: "own" }, 'Option load must be "all", as in every program, and it is "own"'],
    [{ aligned: "yes" }, 'Option aligned must be true or false, and it is "yes"'],
    [{ sweep: 0 }, "Option sweep must be true or false, and it is 0"],
    [{ control: "on" }, 'Option control must be true or false, and it is "on"'],
    [{ signals: null }, "Option signals must be true or false, and it is null"],
    [{ product: "" }, 'Option product must be a text, and it is ""'],
    [{ program: 5 }, "Option program must be a path or a URL, and it is 5"],
    [{ log: { level: "info" } }, "Option log must be a function that gets each record, and it is an object"],
    [{ logLevel: "loud" }, "Option logLevel must be one of debug, info, warning, error, fatal, and it is loud"],
    [{ name: "sla" }, 'The name "sla" of module "sla" is also the name of the broker'],
    [{ modules: [sla, sla] }, 'The name "sla" of module "sla" is also the name of module "sla"'],
    [
      { modules: [livestatus, defineModule({ name: "Livestatus-2" })] },
      'The name "Livestatus-2" of worker 2 of module "Livestatus" is also the name of module "Livestatus-2"',
    ],
    [
      { name: "Livestatus-1" },
      'The name "Livestatus-1" of worker 1 of module "Livestatus" is also the name of the broker',
    ],
  ] as const
) {
  test(`checkOptions() refuses with: ${message.slice(0, 90)}`, () => {
    assert.throws(() => check(options), new TypeError(message));
  });
}

test("checkOptions() takes every option that there is", () => {
  check({
    load: "all",
    settings: {},
    call: { timeoutMs: 5, retry: "never" },
    startConcurrency: 1,
    commands: {},
    program: "./main.ts",
    log: () => {},
    logLevel: "debug",
    aligned: true,
    product: "Shinken",
    control: true,
    sweep: false,
    signals: true,
  });
});

test("levelFrom() takes the levels and nothing else", () => {
  assert.equal(levelFrom("warning"), "warning");
  for (const text of [undefined, "", "INFO", "loud"]) assert.equal(levelFrom(text), undefined);
});

test("checkOptions() without options says what they must be", () => {
  const nothing: unknown = undefined;
  assert.throws(() => checkOptions(nothing as BrokerOptions), {
    name: "TypeError",
    message: "Options must be an object with name and modules, and are undefined",
  });
});
