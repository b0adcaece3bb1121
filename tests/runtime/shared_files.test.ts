import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { pid } from "node:process";
import { test } from "node:test";
import type { SharedFiles } from "../../src/runtime/runtime.ts";
import { runtime } from "./started.ts";

const FOLDER = "/dev/shm";
const skip = existsSync(FOLDER) ? false : "this system has no shared memory";
/** More than a system gives. */
const NOBODY = 99_999_999;

async function newFiles(): Promise<SharedFiles> {
  const files = await runtime.sharedFiles();
  assert.ok(files !== null);
  return files;
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

test("two that have a file open see the same bytes, and no other user may open it", { skip }, async () => {
  const files = await newFiles();
  const file = files.make();
  try {
    assert.equal(statSync(file.path).mode & 0o777, 0o600);
    const other = files.open(file.path);
    file.write(bytes(1_000_000), 0);
    file.write(bytes(10), 500_000);
    assert.deepEqual(other.read(0, 500_000), bytes(500_000));
    const part = other.read(499_998, 14);
    assert.deepEqual([...part.subarray(2, 12)], [...bytes(10)]);
    assert.deepEqual([part.byteOffset, part.buffer.byteLength], [0, 14]);
    other.close();
  } finally {
    file.unname();
    file.close();
  }
});

test("a file without a name is still shared, and can't be opened again", { skip }, async () => {
  const files = await newFiles();
  const file = files.make();
  const other = files.open(file.path);
  file.unname();
  file.unname();
  assert.equal(existsSync(file.path), false);
  assert.throws(() => files.open(file.path));
  other.write(bytes(100), 7);
  assert.deepEqual(file.read(7, 100), bytes(100));
  file.close();
  other.close();
});

test("what lies behind the end is an error, also when the memory was given back", { skip }, async () => {
  const files = await newFiles();
  const file = files.make();
  file.unname();
  file.write(bytes(100), 0);
  assert.throws(() => file.read(50, 51), /ends at 100 bytes and should have 101$/);
  file.empty();
  assert.throws(() => file.read(0, 100), /ends at 0 bytes and should have 100$/);
  file.write(bytes(3), 0);
  assert.deepEqual(file.read(0, 3), bytes(3));
  file.close();
});

test("names that killed processes left are removed, those of live ones and of others are not", { skip }, async () => {
  const left = `brokkr-${NOBODY}-1-left`;
  const kept = [`brokkr-${pid}-1-kept`, "brokkr-tests-kept", `other-brokkr-${NOBODY}-1`];
  for (const name of [left, ...kept]) writeFileSync(`${FOLDER}/${name}`, "");
  try {
    const files = await newFiles();
    const file = files.make();
    file.unname();
    file.close();
    const names = readdirSync(FOLDER);
    assert.deepEqual([left, ...kept].filter((name) => names.includes(name)), kept);
  } finally {
    for (const name of readdirSync(FOLDER)) if ([left, ...kept].includes(name)) unlinkSync(`${FOLDER}/${name}`);
  }
});
