import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSystem, inRunner, ownFilesOf, ownFolderOf, runnerOf } from "../../src/runtime/posix/program.ts";

test("ownFilesOf() is the library's sources beside the file, and not the command line's", () => {
  const own = ["/a b/src/core/", "/a b/src/runtime/", "/a b/src/broker."];
  assert.deepEqual(ownFilesOf("file:///a%20b/src/runtime/node/index.ts"), own);
});

test("ownFilesOf() is the files of the npm package by their name", () => {
  const own = ["/p/lib/brokkr-"];
  assert.deepEqual(ownFilesOf("file:///p/lib/brokkr-node_fork-1a2b.js"), own);
  // A program that was bundled with the library in it may stand in a folder of that name.
  assert.ok(ownFilesOf("file:///p/lib/main.js").every((prefix) => !"/p/lib/main.js".startsWith(prefix)));
});

test("ownFolderOf() is that of the sources or of the package, and none in a bundle or of a URL", () => {
  assert.equal(ownFolderOf("file:///a%20b/src/runtime/deno/sandbox.ts"), "/a b/");
  assert.equal(ownFolderOf("file:///p/node_modules/brokkr/lib/brokkr-deno_spawn.js"), "/p/node_modules/brokkr/");
  for (const other of ["file:///p/q/dist/main.js", "file:///main.js", "https://host/src/runtime/deno/sandbox.ts"]) {
    assert.equal(ownFolderOf(other), null, other);
  }
});

test("ownFilesOf() is URLs where the library was imported by one", () => {
  const own = ["https://host:8/a b/src/core/", "https://host:8/a b/src/runtime/", "https://host:8/a b/src/broker."];
  assert.deepEqual(ownFilesOf("https://host:8/a%20b/src/runtime/node/index.ts"), own);
});

test("ownFilesOf() is nothing in a bundle, which has the user's code in the same file, or knows of no file at all", () => {
  for (const bundle of ["file:///app/dist/main.js", "file:///$bunfs/root/app", "data:text/javascript,0", undefined]) {
    assert.deepEqual(ownFilesOf(bundle), []);
  }
});

test("checkSystem() refuses Windows with what to use, and nothing else", () => {
  for (const name of ["linux", "darwin", "freebsd"]) checkSystem(name);
  for (const name of ["windows", "win32"]) {
    assert.throws(() => checkSystem(name), /Cannot run brokkr on Windows: it needs/);
  }
});

test("runnerOf() is Next.js for the files of its server, and null for a program that is near them", () => {
  for (const file of ["bin/next", "server/lib/start-server.js"]) {
    assert.equal(runnerOf(`/web/node_modules/next/dist/${file}`), "Next.js");
  }
  assert.equal(runnerOf("/web/next/server.js"), null);
  assert.equal(
    inRunner("Next.js"),
    'it runs in Next.js, which a new process would run again, set "program" to a file that only starts the broker, ' +
      'or "inProcess" to true to run the modules in this process',
  );
});
