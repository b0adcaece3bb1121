import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../src/core/module/module.ts";
import { checkSandbox } from "../../../src/core/broker/options.ts";
import type { PermissionSettings } from "../../../src/core/settings/settings.ts";
import { defineProgram } from "../../../src/core/module/program.ts";
import { FakeRuntime } from "../fake_runtime.ts";

const settings: { permissions: PermissionSettings } = { permissions: { net: [] } };

test("defineModule() takes permissions as lists, true and false, and nothing else", () => {
  const wrong = (permissions: unknown) => () => Reflect.apply(defineModule, null, [{ name: "a", permissions }]);
  defineModule({ name: "a", permissions: { net: ["a.example:80"], read: true, write: false, env: [] } });
  const message = (text: string) => ({ name: "TypeError", message: `Module "a": permissions${text}` });
  assert.throws(wrong(["net"]), message(" must be an object, and it is a list"));
  assert.throws(
    wrong({ nett: [] }),
    message(': unknown key "nett": did you mean "net"'),
  );
  const should = "must be true, false or a list of texts without commas, and";
  assert.throws(wrong({ net: "a" }), message(`.net ${should} it is "a"`));
  // Deno would read two rights out of it.
  assert.throws(wrong({ read: ["/a,/etc"] }), message(`.read ${should} it has "/a,/etc"`));
  assert.throws(wrong({ read: [""] }), message(`.read ${should} it has ""`));
});

test("checkSandbox() refuses what would not be kept, with what to do", () => {
  const runtime = new FakeRuntime();
  const plain = defineModule({ name: "a" });
  const workers = defineModule({ name: "w", workers: { count: 1, commands: {} } });
  const none = defineModule({ name: "n", workers: { count: 0, commands: {} } });
  checkSandbox(
    [{ module: plain, settings }, { module: none, settings }, { module: workers, settings: {} }],
    runtime,
  );
  assert.throws(() => checkSandbox([{ module: workers, settings }], runtime), {
    message:
      'Module "w": permissions are not possible with workers, because a process that starts workers may run Deno with ' +
      "every permission: remove one of the two, or move the code to sandbox into a module without workers",
  });
  runtime.cannotSandbox = "Node 20 cannot restrict a process: remove them, or start with Deno";
  checkSandbox([{ module: plain, settings: {} }], runtime);
  assert.throws(() => checkSandbox([{ module: plain, settings }], runtime), {
    message: 'Module "a": permissions are not possible, because Node 20 cannot restrict a process: ' +
      "remove them, or start with Deno",
  });
});

test("checkSandbox() refuses permissions for a program of another language, which they would not reach", () => {
  const program = defineProgram({ name: "p", command: ["true"] });
  assert.throws(() => checkSandbox([{ module: program, settings }], new FakeRuntime()), {
    message: 'Module "p": permissions have no effect on a program in another language, remove them',
  });
});

test("checkSandbox() refuses runtimeArgs of a program, and where a process can't be given flags", () => {
  const runtime = new FakeRuntime();
  const flags = { runtimeArgs: ["--expose-gc"] };
  checkSandbox([{ module: defineModule({ name: "sla" }), settings: flags }], runtime);
  runtime.cannotTakeFlags = "a compiled binary has fixed flags: remove them, or run brokkr with the runtime itself";
  assert.throws(() => checkSandbox([{ module: defineModule({ name: "sla" }), settings: flags }], runtime), {
    message: `Module "sla": runtimeArgs are not possible, because ${runtime.cannotTakeFlags}`,
  });
  assert.throws(() => defineModule({ name: "sla", runtimeArgs: ["main.js"] }), {
    message: 'Module "sla": runtimeArgs must be a list of flags of the runtime, and it is a list',
  });
});
