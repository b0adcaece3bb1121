/** Files that only this user sees, and files in memory, by what Node and Bun have in common. */

import { Buffer } from "node:buffer";
import { newSharedFiles, type OpenFile, SHARED_FOLDER } from "../posix/shared_files.ts";
import { type FolderFacts, privateFolder } from "../posix/socket_path.ts";
import type { PrivateFiles, SharedFiles } from "../runtime.ts";
import { fileSystem, process } from "./process.ts";

export const privateFiles: PrivateFiles = {
  folder: (name) =>
    privateFolder(name, {
      variable: (name) => process.env[name],
      uid: process.getuid?.() ?? null,
      make: (path) => fileSystem().mkdirSync(path, { mode: 0o700 }),
      look,
    }),
  list: (folder) => fileSystem().readdirSync(folder),
  remove: (path) => fileSystem().rmSync(path, { force: true }),
};

function look(path: string): FolderFacts | null {
  try {
    const stats = fileSystem().lstatSync(path);
    return { isFolder: stats.isDirectory(), uid: stats.uid, mode: stats.mode };
  } catch {
    return null;
  }
}

/** Null where the system has no folder for them. */
export function sharedFiles(): SharedFiles | null {
  const fs = fileSystem();
  if (!fs.existsSync(SHARED_FOLDER)) return null;
  return newSharedFiles({
    pid: process.pid,
    make: (path) => opened(fs.openSync(path, "wx+", 0o600)),
    open: (path) => opened(fs.openSync(path, "r+")),
    remove: removeQuietly,
    list: (folder) => fs.readdirSync(folder),
    isRunning: (pid) => fs.existsSync(`/proc/${pid}`),
  });
}

function opened(descriptor: number): OpenFile {
  const fs = fileSystem();
  return {
    write: (bytes, at) => fs.writeSync(descriptor, bytes, 0, bytes.length, at),
    // Not filled with zeros first, which takes half as long as the reading itself.
    memory: (length) => new Uint8Array(Buffer.allocUnsafeSlow(length).buffer),
    read: (into, at) => fs.readSync(descriptor, into, 0, into.length, at),
    truncate: () => fs.ftruncateSync(descriptor),
    close: () => fs.closeSync(descriptor),
  };
}

function removeQuietly(path: string): void {
  try {
    fileSystem().unlinkSync(path);
  } catch {
    // Gone before, or another user's.
  }
}
