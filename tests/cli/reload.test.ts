import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inSandbox, type Sandbox } from "./cli_process.ts";

const ANSWER = (text: string) =>
  `export default { name: NAME, commands: { get: () => "${text}", never: () => new Promise(() => {}) } };\n`;

/** Writes module files and a configuration of them. */
function write(sandbox: Sandbox, modules: Record<string, object>): string {
  for (const name of ["one", "two", "three"]) {
    writeFileSync(join(sandbox.folder, `${name}.js`), ANSWER("old").replace("NAME", `"${name}"`));
  }
  return configure(sandbox, modules);
}

function configure(sandbox: Sandbox, modules: Record<string, object>, more: object = {}): string {
  const path = join(sandbox.folder, "brokkr.json");
  const all = Object.entries(modules).map(([name, more]) => [name, { path: `${name}.js`, ...more }]);
  writeFileSync(path, JSON.stringify({ name: "reloads", modules: Object.fromEntries(all), ...more }));
  return path;
}

async function pids(sandbox: Sandbox): Promise<Record<string, number>> {
  const { modules } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
  return Object.fromEntries(modules.map(({ name, pid }: { name: string; pid: number }) => [name, pid]));
}

test("SIGHUP replaces what has changed in the configuration, starts what is new and drains what is gone", () =>
  inSandbox(async (sandbox) => {
    const config = write(sandbox, { one: {}, two: {} });
    const broker = await sandbox.broker(["run", config]);
    const before = await pids(sandbox);
    configure(sandbox, { three: { after: ["one"] }, one: { options: { months: 3 } } });
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration is in force");
    assert.match(broker.stderr, /in force after \d+\.\d{3}s \(replaced: 1, kept: 0, added: 1, removed: 1\)/);
    const after = await pids(sandbox);
    assert.deepEqual(Object.keys(after), ["three", "one"]);
    assert.notEqual(after["one"], before["one"]);
    assert.equal((await sandbox.run(["call", "two", "get"])).code, 4);
    assert.equal((await sandbox.run(["call", "three", "get"])).stdout, "old\n");
    writeFileSync(config, `// Where a module stands is no setting.\n${readFileSync(config, "utf8")}`);
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration is in force", 2);
    assert.deepEqual(await pids(sandbox), after, "what has not changed stays");
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));

test("SIGHUP takes a variable that a module claims now from the processes of the others", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(["run", write(sandbox, { one: {}, two: {} })], { env: { TOKEN: "of one" } });
    configure(sandbox, { one: { env: ["TOKEN"] }, two: {} });
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration is in force");
    const after = await pids(sandbox);
    assert.match(readFileSync(`/proc/${after["one"]}/environ`, "utf8"), /TOKEN=of one/);
    assert.doesNotMatch(readFileSync(`/proc/${after["two"]}/environ`, "utf8"), /TOKEN/);
    assert.match(broker.stderr, /\(replaced: 2, kept: 0, added: 0, removed: 0\)/);
  }));

test("SIGHUP changes where a call goes and how long it may take, also for the module that was called last", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(["run", write(sandbox, { one: {} })]);
    assert.equal((await sandbox.run(["call", "one", "get"])).stdout, "old\n");
    configure(sandbox, { two: {} });
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration is in force");
    assert.equal((await sandbox.run(["call", "one", "get"])).code, 4);
    assert.equal((await sandbox.run(["call", "two", "get"])).stdout, "old\n");
    configure(sandbox, { two: {} }, { call: { timeoutMs: 70 } });
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration is in force", 2);
    assert.match((await sandbox.run(["call", "two", "never"])).stderr, /: timeout \(0\.07s\)/);
  }));

test("a configuration that is wrong changes nothing, and a module that does not come up is kept as it was", () =>
  inSandbox(async (sandbox) => {
    const config = write(sandbox, { one: {}, two: {} });
    const broker = await sandbox.broker(["run", config]);
    const before = await pids(sandbox);
    writeFileSync(config, '{ "name": "reloads", "moduls": {} }');
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration stays as it was");
    assert.match(broker.stderr, /unknown key "moduls": did you mean "modules"/);
    writeFileSync(join(sandbox.folder, "one.js"), "process.exit(7);\n");
    configure(sandbox, { one: { options: 1 }, two: {} });
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration is in force");
    assert.match(broker.stderr, /one could not be replaced and goes on \(pid \d+\): process exited with code 7/);
    assert.match(broker.stderr, /\(replaced: 0, kept: 1, added: 0, removed: 0\)/);
    assert.deepEqual(await pids(sandbox), before);
    assert.equal((await sandbox.run(["call", "one", "get"])).stdout, "old\n");
  }));

test("brokkr reload puts new code into service, and says where a module was kept", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker(["run", write(sandbox, { one: {}, two: {} })]);
    const before = await pids(sandbox);
    writeFileSync(join(sandbox.folder, "one.js"), ANSWER("new").replace("NAME", '"one"'));
    const { code, stderr } = await sandbox.run(["reload", "one"]);
    assert.deepEqual([code, stderr], [0, "one was reloaded\n"]);
    assert.equal((await sandbox.run(["call", "one", "get"])).stdout, "new\n");
    assert.equal((await pids(sandbox))["two"], before["two"]);
    writeFileSync(join(sandbox.folder, "one.js"), "process.exit(7);\n");
    const kept = await sandbox.run(["reload", "one"]);
    assert.equal(kept.code, 5);
    assert.equal(
      kept.stderr,
      'Cannot load module "one" again: the new process ended before it was ready, the old one continues, see the broker\'s log\n',
    );
    assert.equal((await sandbox.run(["call", "one", "get"])).stdout, "new\n");
  }));

test("a module that the broker can't be without ends brokkr run with exit code 1 when it has failed", () =>
  inSandbox(async (sandbox) => {
    const restart = { policy: "never", escalate: "stop-broker" };
    const config = write(sandbox, { one: { restart }, two: {} });
    writeFileSync(
      join(sandbox.folder, "one.js"),
      'export default { name: "one", commands: { end: () => process.exit(3) } };\n',
    );
    const broker = await sandbox.broker(["run", config]);
    assert.equal((await sandbox.run(["call", "one", "end"])).code, 5);
    assert.equal((await broker.ended).code, 1);
    assert.match(broker.stderr, /one will not be started again: process exited with code 3/);
    assert.match(broker.stderr, /The broker stopped in/);
  }));

test("SIGHUP replaces a program of another language whose command has changed, and leaves one that has not", () =>
  inSandbox(async (sandbox) => {
    const script =
      "let text='';process.stdin.on('data',(chunk)=>{text+=chunk;const lines=text.split('\\n');text=lines.pop();" +
      "for(const line of lines)console.log(JSON.stringify({jsonrpc:'2.0',id:JSON.parse(line).id,result:process.argv[1]}))})";
    const path = join(sandbox.folder, "brokkr.json");
    const write = (changed: string) => {
      const modules = {
        same: { command: ["node", "-e", script, "same"] },
        other: { command: ["node", "-e", script, changed] },
      };
      writeFileSync(path, JSON.stringify({ name: "reloads", modules }));
    };
    write("old");
    const broker = await sandbox.broker(["run", path]);
    const before = await pids(sandbox);
    assert.equal((await sandbox.run(["call", "other", "x"])).stdout, "old\n");
    write("new");
    broker.kill("SIGHUP");
    await broker.printed("stderr", "The configuration is in force");
    assert.equal((await sandbox.run(["call", "other", "x"])).stdout, "new\n");
    assert.equal((await pids(sandbox))["same"], before["same"]);
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));

test("brokkr scale changes how many workers run, status shows them, and a reload of the module ends it", () =>
  inSandbox(async (sandbox) => {
    const config = configure(sandbox, { one: {}, two: {} });
    const file = "export default { name: 'one', commands: (ctx) => ({ who: () => ctx.workers.call('who') }), " +
      "workers: { count: 1, commands: (ctx) => ({ who: () => ctx.role.worker }) } };\n";
    writeFileSync(join(sandbox.folder, "one.js"), file);
    writeFileSync(join(sandbox.folder, "two.js"), ANSWER("two").replace("NAME", '"two"'));
    const broker = await sandbox.broker(["run", config]);
    const workers = async () => {
      const { modules } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
      return modules[0].workers.map(({ name, state }: { name: string; state: string }) => `${name} ${state}`);
    };
    const scaled = async (...words: string[]) => {
      const { code, stdout, stderr } = await sandbox.run(["scale", ...words]);
      return [code, stdout, stderr.split("\n").at(-2) ?? ""];
    };
    assert.deepEqual(await scaled("one", "3"), [0, "", "one has 3 workers"]);
    assert.deepEqual(await workers(), ["one-1 ready", "one-2 ready", "one-3 ready"]);
    assert.equal((await sandbox.run(["restart", "one-3"])).code, 0);
    assert.deepEqual(await scaled("one", "1"), [0, "", "one has 1 worker"]);
    assert.deepEqual(await scaled("one", "0"), [0, "", "one has 0 workers"]);
    assert.equal((await sandbox.run(["call", "one", "who"])).code, 1);
    assert.deepEqual(await scaled("two", "1"), [1, "", 'Cannot scale "two": it defines no workers']);
    assert.equal((await scaled("on", "1"))[0], 4);
    assert.deepEqual((await scaled("one", "-1"))[0], 2);
    assert.equal((await sandbox.run(["reload", "one"])).code, 0);
    assert.deepEqual(await workers(), ["one-1 ready"]);
    assert.equal((await sandbox.run(["call", "one", "who"])).stdout, "1\n");
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
    assert.doesNotMatch(broker.stderr, /dropped|was lost/);
  }));
