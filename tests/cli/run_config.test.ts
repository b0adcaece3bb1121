import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readlinkSync, realpathSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { brokerConfig, fixture, inSandbox, type Sandbox } from "./cli_process.ts";
import { statusOf } from "./shown_status.ts";

test("brokkr run, call, status, restart and stop go through one broker's life", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    assert.deepEqual(sandbox.liveFiles(), ["cli-test.sock", "cli-test….tree"]);
    assert.equal((await sandbox.run(["call", "Livestatus", "count", "up"])).stdout, "30\n");
    const before = await statusOf(sandbox);
    assert.deepEqual(before.modules.map(({ name, state }) => [name, state]), [["sla", "ready"], [
      "Livestatus",
      "ready",
    ]]);
    assert.deepEqual(before.modules[1]?.workers.map(({ name }) => name), ["Livestatus-1", "Livestatus-2"]);

    const restarted = await sandbox.run(["restart", "sla"]);
    assert.deepEqual(restarted, { code: 0, signal: null, stdout: "", stderr: "sla was restarted\n" });
    const after = await statusOf(sandbox);
    assert.notEqual(after.modules[0]?.pid, before.modules[0]?.pid);
    assert.equal(after.modules[0]?.restarts, 1);

    assert.equal((await sandbox.run(["stop", "sla"])).code, 0);
    const stopped = await sandbox.run(["call", "sla", "greet", "world"]);
    assert.equal(stopped.code, 5);
    assert.equal((await sandbox.run(["reload", "sla"])).code, 0);
    assert.equal((await sandbox.run(["call", "sla", "greet", "world"])).stdout, "Hello world\n");

    const ended = await sandbox.run(["stop"]);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "", stderr: "The broker has stopped\n" });
    assert.equal((await broker.ended).code, 0);
    assert.deepEqual(sandbox.liveFiles(), []);
  }));

test("brokkr restart and stop refuse a name that the broker has not", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    for (const action of ["restart", "reload", "stop"]) {
      const { code, stderr } = await sandbox.run([action, "slb"]);
      assert.equal(code, 4);
      assert.equal(stderr, `Cannot ${action} "slb": the broker has nothing of that name, did you mean "sla"\n`);
    }
    assert.equal((await sandbox.run(["restart", "Livestatus-3"])).code, 4);
    const worker = async () => (await statusOf(sandbox)).modules[1]?.workers[1];
    const before = await worker();
    assert.equal((await sandbox.run(["restart", "Livestatus-2"])).code, 0);
    const after = await worker();
    assert.deepEqual([after?.state, after?.restarts], ["ready", 1]);
    assert.notEqual(after?.pid, before?.pid);
  }));

test("brokkr run loads a module's own file only, and keeps claimed variables from the others", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker(undefined, { env: { SLA_TOKEN: "secret" } });
    assert.equal((await sandbox.run(["call", "sla", "token"])).stdout, "secret\n");
    assert.equal((await sandbox.run(["call", "Livestatus", "token"])).stdout, "null\n");
    assert.equal((await sandbox.run(["call", "sla", "options", "--json"])).stdout.includes('{"months":12}'), true);
    if (process.platform !== "linux") return;
    for (const { pid, workers } of (await statusOf(sandbox)).modules) {
      for (const id of [pid, ...workers.map((worker) => worker.pid)]) {
        const environment = readFileSync(`/proc/${id}/environ`, "utf8");
        assert.equal(environment.includes("SLA_TOKEN=secret"), environment.includes('"module":"sla"'));
      }
    }
  }));

test("brokkr run refuses the name of a live broker with exit code 2", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    const second = await sandbox.run(["run", brokerConfig]);
    assert.deepEqual(second, {
      code: 2,
      signal: null,
      stdout: "",
      stderr: 'Cannot start broker "cli-test": a broker of this name runs already, ' +
        'stop it with "brokkr stop --broker cli-test" or give this one another name\n',
    });
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));

test("brokkr run writes its log into a file, without colors", () =>
  inSandbox(async (sandbox) => {
    const { config, folder } = copy(sandbox, { log: { file: "logs/broker.log", level: "warning" } });
    const broker = sandbox.start(["run", config]);
    await reachable(sandbox);
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    assert.equal((await sandbox.run(["stop"])).code, 0);
    const { code, stderr } = await broker.ended;
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = readFileSync(join(folder, "logs/broker.log"), "utf8").split("\n");
    assert.match(
      lines.find((line) => line.includes("ERROR")) ?? "",
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] ERROR : \[ copy \] \[ sla \] \[ COMMAND CALL \] \[ PID:\d+ \] \[ MainThread \] /,
    );
    assert.equal(lines.some((line) => line.includes("INFO") || line.includes("\x1b")), false);
  }));

test("brokkr run has an error in its log file at once, so that a kill does not lose it", () =>
  inSandbox(async (sandbox) => {
    const { config, folder } = copy(sandbox, { log: { file: "broker.log" } });
    const broker = sandbox.start(["run", config]);
    await reachable(sandbox);
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    broker.kill("SIGKILL");
    await broker.ended;
    assert.match(readFileSync(join(folder, "broker.log"), "utf8"), /ERROR : .*\[crash\]/);
  }));

test('brokkr run with load "all" loads every file in every process', () =>
  inSandbox(async (sandbox) => {
    const { config } = copy(sandbox, { load: "all" });
    await sandbox.broker(["run", config]);
    const { modules } = await statusOf(sandbox);
    assert.deepEqual(modules.map(({ cleanup }) => cleanup?.released), [["shared"], []]);
    assert.deepEqual(modules[1]?.workers.map(({ name }) => name), ["shared-1"]);
  }));

test('brokkr run with load "all" starts as many workers as the configuration says', () =>
  inSandbox(async (sandbox) => {
    const modules = { sla: { path: "sla.js" }, shared: { path: "shared.js", workers: 2 } };
    const { config } = copy(sandbox, { load: "all", modules });
    await sandbox.broker(["run", config]);
    const { modules: [, shared] } = await statusOf(sandbox);
    assert.deepEqual(shared?.workers.map(({ name, state }) => [name, state]), [
      ["shared-1", "ready"],
      ["shared-2", "ready"],
    ]);
  }));

test("brokkr run fails a module whose file sets what only the configuration may", () =>
  inSandbox(async (sandbox) => {
    const { config } = copy(sandbox, { load: "own" });
    const broker = await sandbox.broker(["run", config]);
    assert.match(
      broker.stderr,
      /Cannot serve module "shared": its file sets "restart", which the broker does not read under load "own", move it /,
    );
    const { modules } = await statusOf(sandbox);
    assert.deepEqual(modules.map(({ state }) => state), ["ready", "failed"]);
    const { code, stderr } = await sandbox.run(["restart", "shared"]);
    assert.equal(code, 5);
    assert.match(
      stderr,
      /^Cannot start module "shared": start of the module failed: .* its file sets "restart", .*, see the broker's log\n$/,
    );
    assert.match(
      (await sandbox.run(["status"])).stdout,
      /^shared has failed: start of the module failed: Cannot serve/m,
    );
  }));

test("brokkr run goes on in the configuration's folder where the one that it was started in is removed", () =>
  inSandbox(async (sandbox) => {
    const cwd = join(sandbox.folder, "release");
    mkdirSync(cwd);
    const broker = await sandbox.broker(undefined, { cwd });
    rmdirSync(cwd);
    for (const name of ["sla", "Livestatus"]) {
      assert.equal((await sandbox.run(["restart", name])).code, 0);
    }
    assert.equal((await sandbox.run(["call", "sla", "greet", "world"])).stdout, "Hello world\n");
    const folder = dirname(brokerConfig);
    if (process.platform === "linux") {
      const { modules } = await statusOf(sandbox);
      for (const { pid } of modules) assert.equal(readlinkSync(`/proc/${pid}/cwd`), realpathSync(folder));
    }
    assert.deepEqual(broker.stderr.match(/\S+ starts in .*/g), [
      `sla starts in ${folder}: the working directory ${realpathSync(sandbox.folder)}/release is gone`,
    ]);
  }));

test("brokkr run takes the nearest brokkr.json where it is given none", () =>
  inSandbox(async (sandbox) => {
    const { folder } = copy(sandbox, {});
    const inner = join(folder, "deeper/still");
    mkdirSync(inner, { recursive: true });
    await sandbox.broker(["run"], { cwd: inner });
    assert.equal((await statusOf(sandbox)).broker.name, "copy");
    const nowhere = await sandbox.run(["run"], { cwd: "/" });
    assert.deepEqual(nowhere, {
      code: 2,
      signal: null,
      stdout: "",
      stderr:
        'Cannot run: there is no brokkr.json in "/" or above it, name a file, write one with "brokkr init", or see "brokkr demo"\n',
    });
  }));

async function reachable(sandbox: Sandbox): Promise<void> {
  while ((await sandbox.run(["call", "sla", "greet", "you"])).code !== 0);
}

/** A configuration of its own, with a second module whose file sets `restart` and `workers` by itself. */
function copy(sandbox: Sandbox, config: Record<string, unknown>): { config: string; folder: string } {
  const folder = join(sandbox.folder, "copy");
  mkdirSync(folder);
  writeFileSync(join(folder, "sla.js"), readFileSync(fixture("broker/sla.js")));
  writeFileSync(
    join(folder, "shared.js"),
    'export default { name: "shared", restart: "never", commands: {}, afterForkCleanup() {}, ' +
      "workers: { count: 1, commands: {} } };\n",
  );
  const shared = config["load"] === undefined ? {} : { shared: { path: "shared.js" } };
  const path = join(folder, "brokkr.json");
  writeFileSync(path, JSON.stringify({ name: "copy", modules: { sla: { path: "sla.js" }, ...shared }, ...config }));
  return { config: path, folder };
}

for (const load of ["own", "all"]) {
  test(`brokkr run with load "${load}" runs one file as several modules, and none cleans the others of that file`, () =>
    inSandbox(async (sandbox) => {
      writeFileSync(
        join(sandbox.folder, "shop.mjs"),
        `const prices = new Map([["apple", 3]]);
         export default {
           name: "shop",
           commands: (ctx) => ({ look: (fruit) => [ctx.module, ctx.options.region, prices.get(fruit)] }),
           owns: [prices],
           afterForkCleanup: () => prices.clear(),
         };`,
      );
      writeFileSync(join(sandbox.folder, "other.mjs"), "export default { afterForkCleanup() {} };");
      const shop = (region: string) => ({ path: "./shop.mjs", options: { region } });
      const modules = { eu: shop("EU"), us: shop("US"), other: { path: "./other.mjs" } };
      writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "shops", load, modules }));
      const check = await sandbox.run(["check"]);
      assert.deepEqual([check.code, check.stderr], [0, ""]);
      const broker = await sandbox.broker(["run"]);
      for (const [name, { options }] of Object.entries({ eu: modules.eu, us: modules.us })) {
        const { stdout } = await sandbox.run(["call", name, "look", "apple", "--json"]);
        assert.deepEqual(JSON.parse(stdout).result, [name, options.region, 3]);
      }
      const status = await statusOf(sandbox);
      const released = status.modules.map(({ name, cleanup }) => [name, cleanup?.released]);
      const others = load === "all" ? ["other"] : [];
      assert.deepEqual(released, [["eu", others], ["us", others], ["other", load === "all" ? ["us", "eu"] : []]]);
      broker.kill("SIGTERM");
      assert.equal((await broker.ended).code, 0);
    }));
}

test("brokkr run gives runtimeArgs to the processes of their module only, its workers included", () =>
  inSandbox(async (sandbox) => {
    const own = `import process from "node:process";
      const flags = () => [Error.stackTraceLimit, process.execArgv.includes("--smol")];
      export default (library) => ({
        commands: (ctx) => ({ flags: async () => [flags(), await ctx.workers.call("flags")] }),
        workers: { count: 1, commands: { flags } },
      });`;
    writeFileSync(join(sandbox.folder, "m.mjs"), own);
    const isBun = "Bun" in globalThis;
    const limit = "--stack-trace-limit=7";
    const runtimeArgs = isBun ? ["--smol"] : "Deno" in globalThis ? [`--v8-flags=${limit}`] : [limit];
    const modules = { flagged: { path: "./m.mjs", runtimeArgs }, plain: { path: "./m.mjs" } };
    writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "flags", modules }));
    const broker = await sandbox.broker(["run"]);
    const flagsOf = async (name: string) => {
      const { stdout } = await sandbox.run(["call", name, "flags", "--json"]);
      return JSON.parse(stdout).result.map(([traces, smol]: unknown[]) => isBun ? smol : traces === 7);
    };
    assert.deepEqual([await flagsOf("flagged"), await flagsOf("plain")], [[true, true], [false, false]]);
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));
