import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ending, fixture, inSandbox } from "./cli_process.ts";

const program = fixture(`program${ending}`);

test("brokkr run opens the control socket of a program and drains it at SIGTERM", () =>
  inSandbox(async (sandbox) => {
    const broker = sandbox.start(["run", program]);
    await broker.printed("stdout", "report of 2021-10");
    assert.equal((await sandbox.run(["call", "sla", "get_report", '"2021-11"'])).stdout, "report of 2021-11\n");
    const second = await sandbox.run(["run", program]);
    assert.equal(second.code, 2);
    assert.equal(second.stdout, "the program begins\n");
    assert.match(second.stderr, /^Cannot start broker "program-test": a broker of this name runs already, .*\n$/);
    broker.kill("SIGTERM");
    const { code, stdout } = await broker.ended;
    assert.deepEqual([code, stdout], [0, "the program begins\nreport of 2021-10\n"]);
    assert.deepEqual(sandbox.liveFiles(), []);
  }));

test("brokkr stop ends a program that brokkr runs", () =>
  inSandbox(async (sandbox) => {
    const broker = sandbox.start(["run", program]);
    await broker.printed("stdout", "report of 2021-10");
    assert.equal((await sandbox.run(["stop", "--broker", "program-test"])).code, 0);
    assert.equal((await broker.ended).code, 0);
  }));

test("brokkr call reaches the broker's own commands by its name, with the errors of any call", () =>
  inSandbox(async (sandbox) => {
    const broker = sandbox.start(["run", program]);
    await broker.printed("stdout", "report of 2021-10");
    const call = async (...args: string[]) => {
      const { code, stdout, stderr } = await sandbox.run(["call", "program-test", ...args]);
      return [code, stdout, stderr];
    };
    assert.deepEqual(await call("get_version"), [0, "7.1\n", ""]);
    assert.deepEqual(await call("get_versoin"), [
      4,
      "",
      'Cannot call command "get_versoin" of module "program-test": unknown command, did you mean "get_version"; ' +
      'see the commands with "brokkr describe"\n',
    ]);
    assert.deepEqual((await call("crash"))[0], 1);
    assert.deepEqual((await call("never", "--timeout", "50ms"))[0], 3);
    const [, retried] = await call("slow", "300", "--timeout", "200ms", "--json");
    assert.match(String(retried), /^\{"ok":true,"result":"answered","attempts":2,"ms":/);
    assert.match(broker.stderr, /WARNING : \[ program-test \] \[ program-test \].* \[get_versoin\] to execute !/);
    assert.match(broker.stderr, /The command call \[never\] for module program-test was sent but the call timed out/);
    assert.equal((await sandbox.run(["stop"])).code, 0);
    assert.equal((await broker.ended).code, 0);
  }));

test("brokkr run of a program that does not wait for its Broker.start ends with exit code 2 and the message", () =>
  inSandbox(async (sandbox) => {
    const broker = sandbox.start(["run", program]);
    await broker.printed("stdout", "report of 2021-10");
    const library = new URL(`../../mod${ending}`, import.meta.url).href;
    const path = join(sandbox.folder, "unawaited.mjs");
    const start = `Broker.start({ name: "program-test", modules: [] })`;
    writeFileSync(path, `import { Broker } from ${JSON.stringify(library)};\nvoid ${start};\n`);
    const { code, stderr } = await sandbox.run(["run", path]);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot start broker "program-test": a broker of this name runs already, .*\n$/);
    writeFileSync(path, "Promise.reject(new RangeError('nobody waits'));\n");
    const other = await sandbox.run(["run", path]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /^RangeError: nobody waits\n/);
  }));

test("brokkr run of a program that throws prints its stack and exits 1", () =>
  inSandbox(async (sandbox) => {
    const path = join(sandbox.folder, "wrong.mjs");
    writeFileSync(path, "throw new RangeError('the program is wrong');\n");
    const { code, stdout, stderr } = await sandbox.run(["run", path]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /RangeError: the program is wrong\n[^]*wrong\.mjs/);
  }));

test("brokkr run of a module's file that starts no broker names what to do with it, and of other files is silent", () =>
  inSandbox(async (sandbox) => {
    const run = async (text: string) => {
      writeFileSync(join(sandbox.folder, "hello.mjs"), text);
      const { code, stdout, stderr } = await sandbox.run(["run", "hello.mjs"]);
      return [code, stdout, stderr];
    };
    const library = JSON.stringify(new URL(`../../mod${ending}`, import.meta.url).href);
    const module = `import { Broker, defineModule } from ${library};
      export const hello = defineModule({ name: "hello", commands: { greet: () => "Hello" } });`;
    const refused = [
      2,
      "",
      'Cannot run "hello.mjs": it exports a module and starts no broker, name it in a configuration ("brokkr init" writes one), ' +
      'or serve it alone with "brokkr serve hello.mjs"\n',
    ];
    assert.deepEqual(await run(module), refused);
    assert.deepEqual(await run("export default { name: 'hello', commands: { greet: () => 'Hello' } };"), refused);
    assert.deepEqual(await run("export default { name: 'hello' }; console.log('done');"), [0, "done\n", ""]);
    const late = `setTimeout(async () => {
      const broker = await Broker.start({ name: "late", modules: [hello], inProcess: true, logLevel: "error" });
      console.log(await broker.call(hello, "greet"));
      await broker.stop();
    }, 10);`;
    assert.deepEqual(await run(module + late), [0, "Hello\n", ""]);
  }));

test("brokkr run refuses what is neither a configuration nor a program", () =>
  inSandbox(async (sandbox) => {
    const refused = async (file: string) => {
      const { code, stdout, stderr } = await sandbox.run(["run", file]);
      assert.deepEqual([code, stdout], [2, ""]);
      return stderr;
    };
    assert.equal(await refused("none.js"), 'Cannot run "none.js": it does not exist, correct its path\n');
    assert.equal(await refused("none.json"), "none.json: it does not exist, correct its path\n");
    mkdirSync(join(sandbox.folder, "folder.js"));
    assert.equal(
      await refused("folder.js"),
      'Cannot run "folder.js": it must be a program (.ts, .js), and it is not a file\n',
    );
    assert.equal(
      await refused("."),
      'Cannot run ".": it must be a configuration (.json, .jsonc) or a program (.ts, .js), and it is a folder\n',
    );
  }));
