import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventFields } from "../../../src/core/log/events.ts";
import { startFolder } from "../../../src/core/child/starts.ts";

function folderWith(there: Set<string>, startedIn: string | null = "/releases/1") {
  const told: EventFields["process.folder-gone"][] = [];
  const folder = startFolder(
    { startedIn, fromStart: (path) => `/releases/1/${path}`, isFolder: (path) => there.has(path) },
    { instead: () => [null, "/config", "/program"], gone: (fields) => void told.push(fields) },
  );
  return { folder, told };
}

test("startFolder() gives the folder that this process was started in, or what the settings say from there", () => {
  const { folder, told } = folderWith(new Set(["/releases/1"]));
  assert.equal(folder("sla")(), "/releases/1");
  assert.equal(folder("sla", "data")(), "/releases/1/data");
  assert.deepEqual(told, []);
});

test("startFolder() goes on from the first other folder that is there, and tells it once", () => {
  const there = new Set(["/releases/1", "/program"]);
  const { folder, told } = folderWith(there);
  const of = folder("sla");
  assert.equal(of(), "/releases/1");
  there.delete("/releases/1");
  assert.equal(of(), "/program");
  there.add("/config");
  assert.equal(folder("WebUI")(), "/config");
  assert.deepEqual(told, [{ process: "sla", folder: "/releases/1", instead: "/program" }]);
  there.clear();
  assert.equal(of(), "/");
});

test("startFolder() takes the root where nothing is known", () => {
  const { folder, told } = folderWith(new Set(), null);
  assert.equal(folder("sla")(), "/");
  assert.deepEqual(told, [{ process: "sla", folder: "unknown", instead: "/" }]);
});
