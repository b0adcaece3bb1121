import assert from "node:assert/strict";
import { test } from "node:test";
import { type FolderFacts, privateFolder } from "../../src/runtime/posix/socket_path.ts";

/** A machine of folders, on which user 1000 looks for one. */
function find(env: Record<string, string>, folders: Record<string, FolderFacts>) {
  const all = new Map(Object.entries(folders));
  const made: string[] = [];
  const variables = new Map(Object.entries(env));
  const path = privateFolder("brokkr", {
    variable: (name) => variables.get(name),
    uid: 1000,
    make: (path) => {
      if (all.has(path)) throw new Error("File exists");
      made.push(path);
      all.set(path, own);
    },
    look: (path) => all.get(path) ?? null,
  });
  return { path, made };
}

const own: FolderFacts = { isFolder: true, uid: 1000, mode: 0o40700 };

test("privateFolder() makes its folder in XDG_RUNTIME_DIR, and takes it when it is there", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/1000/" };
  const there = { "/run/user/1000/": own };
  assert.deepEqual(find(env, there), { path: "/run/user/1000/brokkr", made: ["/run/user/1000/brokkr"] });
  const taken = find(env, { ...there, "/run/user/1000/brokkr": own });
  assert.deepEqual(taken, { path: "/run/user/1000/brokkr", made: [] });
});

test("privateFolder() takes the temporary directory where XDG_RUNTIME_DIR is none of this user", () => {
  const expected = { path: "/tmp/brokkr-1000", made: ["/tmp/brokkr-1000"] };
  assert.deepEqual(find({}, {}), expected);
  assert.deepEqual(find({ XDG_RUNTIME_DIR: "/none" }, {}), expected);
  assert.deepEqual(find({ XDG_RUNTIME_DIR: "relative" }, { relative: own }), expected);
  assert.deepEqual(find({ XDG_RUNTIME_DIR: "/run/user/0" }, { "/run/user/0": { ...own, uid: 0 } }), expected);
  assert.equal(find({ TMPDIR: "/var/tmp/" }, {}).path, "/var/tmp/brokkr-1000");
});

test("privateFolder() refuses a folder of someone else, one that is open, and what is no folder", () => {
  const refused = (facts: FolderFacts) => () => find({}, { "/tmp/brokkr-1000": facts });
  const start = 'Cannot use folder "/tmp/brokkr-1000" for control sockets: ';
  assert.throws(refused({ ...own, uid: 1001 }), {
    message: `${start}it belongs to user 1001 and should belong to user 1000, remove it or set XDG_RUNTIME_DIR`,
  });
  assert.throws(refused({ ...own, mode: 0o40750 }), {
    message: `${start}other users may enter it, its mode is 0750 and should be 0700, run: chmod 700 /tmp/brokkr-1000`,
  });
  assert.throws(refused({ ...own, isFolder: false }), {
    message: `${start}it is a file or a link and should be a folder, remove it`,
  });
});
