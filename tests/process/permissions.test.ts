import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Broker, type PermissionSettings, RemoteError } from "brokkr";
import { claims, confined } from "../fixtures/broker/confined.ts";
import { TestBroker } from "./broker_of.ts";

const isDeno = "Deno" in globalThis;
const skip = isDeno ? false : "only Deno can give a process fewer rights";
const program = new URL("../fixtures/broker/confined.ts", import.meta.url);

async function start(permissions: PermissionSettings): Promise<TestBroker> {
  return await TestBroker.start({ modules: [confined, claims], program, settings: { confined: { permissions } } });
}

async function refusal(call: Promise<unknown>): Promise<RemoteError> {
  const error = await call.then((result) => `it answered ${JSON.stringify(result)}`, (error: unknown) => error);
  assert.ok(error instanceof RemoteError, String(error));
  return error;
}

test("a module with net: [] answers calls and can't fetch, and its error reaches the caller", { skip }, async () => {
  const server = createServer((_, response) => response.end("reached")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const url = `http://127.0.0.1:${address.port}/`;
  try {
    await using closed = await start({ net: [] });
    assert.equal(await closed.broker.call(confined, "hello"), "hello");
    const error = await refusal(closed.broker.call(confined, "fetch", [url]));
    assert.equal(error.remoteName, "NotCapable");
    assert.match(error.message, /^Requires net access to "127\.0\.0\.1:\d+"/);
    const line = `Failed to send command call [fetch] for module confined because of error: ${error.message}`;
    assert.ok(closed.lines(/^call\.error$/).some((text) => text.endsWith(line)), line);
    const { modules: [module] } = await closed.broker.status();
    assert.deepEqual([module?.state, module?.calls.error, module?.restarts], ["ready", 1, 0]);
    await using open = await start({ net: [`127.0.0.1:${address.port}`] });
    assert.equal(await open.broker.call(confined, "fetch", [url]), 200);
  } finally {
    server.close();
  }
});

test("a module that may read one folder reads no other, and writes nothing", { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-sandboxed-"));
  const file = join(folder, "a.txt");
  writeFileSync(file, "readable");
  try {
    await using started = await start({ read: [folder] });
    const { broker } = started;
    assert.equal(await broker.call(confined, "read", [file]), "readable");
    const elsewhere = fileURLToPath(program).replace(/[^/]*$/, "main.ts");
    for (const path of [join(folder, "../b.txt"), "/etc/hostname", "/proc/self/environ"]) {
      assert.equal((await refusal(broker.call(confined, "read", [path]))).remoteName, "NotCapable", path);
    }
    assert.equal(typeof await broker.call(confined, "read", [elsewhere]), "string", "brokkr's own files can be read");
    assert.equal((await refusal(broker.call(confined, "write", [file]))).remoteName, "NotCapable");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test(
  "a module without import or env loads no code from elsewhere and sees no variable but its role",
  { skip },
  async () => {
    process.env["BROKKR_TEST_SECRET"] = "secret";
    try {
      await using started = await start({});
      const { broker } = started;
      assert.equal(await broker.call(claims, "variable"), "secret");
      assert.equal((await refusal(broker.call(confined, "variable", ["BROKKR_TEST_SECRET"]))).remoteName, "NotCapable");
      assert.notEqual(await broker.call(confined, "variable", ["BROKKR_ROLE"]), null);
      const { message } = await refusal(broker.call(confined, "load", ["https://esm.sh/x"]));
      assert.match(message, /^A remote specifier was requested: "https:\/\/esm\.sh\/x"/);
    } finally {
      delete process.env["BROKKR_TEST_SECRET"];
    }
  },
);

test(
  "a module without permissions stores nothing by what Deno asks no right for, and sees nothing that others store so",
  {
    skip,
  },
  async () => {
    const own = mkdtempSync(join(tmpdir(), "brokkr-deno-"));
    const before = process.env["DENO_DIR"];
    process.env["DENO_DIR"] = own;
    try {
      await using started = await start({});
      assert.deepEqual(await started.broker.call(claims, "store"), ["localStorage", "sessionStorage", "caches"]);
      assert.deepEqual(await started.broker.call(confined, "store"), ["sessionStorage"]);
      const folder = join(own, "brokkr-sandboxed");
      assert.ok(lstatSync(join(folder, "location_data")).isFile());
      assert.ok(lstatSync(join(folder, "gen")).isSymbolicLink());
      // The next life finds it there.
      await started.broker.restart("confined");
      assert.deepEqual(await started.broker.call(confined, "store"), ["sessionStorage"]);
    } finally {
      if (before === undefined) delete process.env["DENO_DIR"];
      else process.env["DENO_DIR"] = before;
      rmSync(own, { recursive: true });
    }
  },
);

test("permissions hold where Deno's folder can't be written", { skip }, async () => {
  const before = process.env["DENO_DIR"];
  process.env["DENO_DIR"] = "/dev/null/deno";
  try {
    await using started = await start({});
    assert.deepEqual(await started.broker.call(confined, "store"), ["sessionStorage"]);
  } finally {
    if (before === undefined) delete process.env["DENO_DIR"];
    else process.env["DENO_DIR"] = before;
  }
});

test("permissions that the broker has not itself are named, and the start is not tried again", { skip }, () => {
  const main = new URL("../fixtures/broker/confined_main.ts", import.meta.url);
  const sources = fileURLToPath(new URL("../..", import.meta.url));
  const rights = [
    `--allow-read`,
    "--allow-write",
    "--allow-run",
    "--allow-env",
    "--allow-sys",
    "--allow-net=unix,localhost",
  ];
  const { stdout, stderr } = spawnSync(process.execPath, ["run", "--no-prompt", ...rights, fileURLToPath(main)], {
    cwd: sources,
    encoding: "utf8",
    timeout: 30_000,
    env: { ...process.env, NO_COLOR: "1" },
  });
  assert.match(
    stderr,
    /confined will not be started again: Cannot create the process: its permissions name one that the broker lacks, start the broker with --allow-net=example\.com or remove it/,
  );
  assert.equal(stdout, "failed 0\n", stderr);
});

test("Broker.start refuses permissions that could not be kept, before it starts anything", async () => {
  const permissions = { net: [] };
  if (!isDeno) {
    const runtime = "Bun" in globalThis ? "Bun" : "Node";
    return await assert.rejects(Broker.start({ name: "b", modules: [{ name: "a", permissions }] }), {
      name: "TypeError",
      message: new RegExp(
        `^Module "a": permissions are not possible, because ${runtime} [\\d.]+ cannot restrict a process: ` +
          "remove them, or start with Deno$",
      ),
    });
  }
  const workers = { count: 1, commands: {} };
  await assert.rejects(Broker.start({ name: "b", modules: [{ name: "a", permissions, workers }] }), {
    name: "TypeError",
    message: /^Module "a": permissions are not possible with workers, because a process that starts /,
  });
});
