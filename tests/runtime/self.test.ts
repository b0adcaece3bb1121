import assert from "node:assert/strict";
import { existsSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { kill, pid } from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtime, within } from "./started.ts";

test("env reads, sets, lists and removes variables", () => {
  const { env } = runtime;
  assert.equal(env.get("BROKKR_TEST_NONE"), undefined);
  env.set("BROKKR_TEST", "a=b\nc");
  assert.equal(env.get("BROKKR_TEST"), "a=b\nc");
  assert.equal(env.all()["BROKKR_TEST"], "a=b\nc");
  env.remove("BROKKR_TEST");
  assert.equal(env.get("BROKKR_TEST"), undefined);
  assert.equal("BROKKR_TEST" in env.all(), false);
});

test("ownFiles begin the paths of the library's own frames in a stack, and no other", () => {
  const isOwn = (path: string) => runtime.ownFiles.some((beginning) => path.startsWith(beginning));
  const source = (path: string) => realpathSync(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)));
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  for (const file of ["runtime/detect", "core/call/server", "broker"]) {
    assert.ok(isOwn(source(`${file}.${extension}`)), file);
  }
  assert.equal(isOwn(source(`cli/main.${extension}`)), false);
  assert.equal(isOwn(fileURLToPath(import.meta.url)), false);
});

test("pid, name and version are those of this process", () => {
  assert.equal(runtime.pid, pid);
  assert.match(runtime.name, /^(deno|node|bun)$/);
  assert.match(runtime.version, /^\d+\.\d+\.\d+/);
});

test("isFolder() is false where nothing is, or a file is above it", () => {
  const file = fileURLToPath(import.meta.url);
  const folders = [fileURLToPath(new URL(".", import.meta.url)), file, `${file}/x`, "/nowhere/x"].map(runtime.isFolder);
  assert.deepEqual(folders, [true, false, false, false]);
});

test("openFiles() and heapBytes() are positive where they can be read", async () => {
  const files = await runtime.openFiles();
  assert.equal(files === null, !existsSync("/proc/self/fd"));
  assert.ok(files === null || files > 2);
  const heap = runtime.heapBytes();
  assert.ok(heap === null || heap > 0);
});

test("processors() are those that the system gives this process", () => {
  assert.equal(runtime.processors(), availableParallelism());
});

test("onSignal() calls until it is stopped", async () => {
  let stop = () => {};
  let calls = 0;
  await within(
    new Promise<void>((resolve) => {
      stop = runtime.onSignal("SIGHUP", () => {
        calls++;
        resolve();
      });
      kill(pid, "SIGHUP");
    }),
  );
  const stopOther = runtime.onSignal("SIGHUP", () => {});
  stop();
  kill(pid, "SIGHUP");
  await new Promise((resolve) => setTimeout(resolve, 30));
  stopOther();
  assert.equal(calls, 1);
});

test("openInspector() opens it on 127.0.0.1 at a free port, is the same while it is open, and closeInspector() ends it", async () => {
  const url = new URL(await runtime.openInspector());
  try {
    assert.deepEqual([url.protocol, url.hostname, await runtime.openInspector()], ["ws:", "127.0.0.1", url.href]);
    const targets = await (await fetch(`http://${url.host}/json/list`)).text();
    assert.ok(targets.includes(url.href), targets);
  } finally {
    await runtime.closeInspector();
  }
  await assert.rejects(fetch(`http://${url.host}/json/list`));
  await runtime.closeInspector();
});
