import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);
const PAGE = readFileSync(new URL("CONTRIBUTING.md", ROOT), "utf8");

/** Compiled, a source ends in `.js`. */
const ENDING = import.meta.url.slice(import.meta.url.lastIndexOf("."));

test("CONTRIBUTING.md names each folder of src where it says where things live", () => {
  const tree = /```text\nmod\.ts[^]*?```/.exec(PAGE)?.[0] ?? "";
  const folders = readdirSync(fileURLToPath(new URL("src/", ROOT)), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory()).map(({ name }) => name);
  assert.ok(folders.includes("wire"));
  assert.deepEqual(folders.filter((name) => !tree.includes(`${name}/`)), []);
});

test("CONTRIBUTING.md names files of src that exist", () => {
  const named = [...PAGE.matchAll(/`(src\/[\w/]+\.ts)`/g)].map(([, path]) => path ?? "");
  assert.ok(named.length > 10);
  assert.deepEqual(named.filter((path) => !existsSync(new URL(path.replace(/\.ts$/, ENDING), ROOT))), []);
});
