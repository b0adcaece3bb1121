/** The files that this user's processes share, by Deno's own functions: the folder of control sockets, files in memory. */

import { newSharedFiles, type OpenFile, SHARED_FOLDER } from "../posix/shared_files.ts";
import { type FolderFacts, privateFolder } from "../posix/socket_path.ts";
import type { PrivateFiles, SharedFiles } from "../runtime.ts";
import type { DenoFile, DenoNamespace, DenoPermission } from "./namespace.ts";
import { environment } from "./index.ts";

declare const Deno: DenoNamespace;

/** Files that only this user sees, by Deno's own functions. */
export const privateFiles: PrivateFiles = {
  folder: (name) =>
    privateFolder(name, {
      env: environment,
      uid: Deno.uid(),
      make: (path) => Deno.mkdirSync(path, { mode: 0o700 }),
      look,
    }),
  list: (folder) => [...Deno.readDirSync(folder)].map((entry) => entry.name),
  remove(path) {
    try {
      Deno.removeSync(path);
    } catch {
      // Gone before.
    }
  },
};

function look(path: string): FolderFacts | null {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(path);
    return { isFolder: isDirectory, uid, mode: mode ?? 0 };
  } catch {
    return null;
  }
}

/** Deno opens nothing in `/dev` for a process that lacks one of these. */
const RIGHTS: readonly DenoPermission[] = ["read", "write", "run", "net", "env", "sys", "ffi"];

/** Files in memory by Deno's own functions; null where the system has no folder for them, or this process not all rights. */
export function sharedFiles(): SharedFiles | null {
  const mayAll = RIGHTS.every((name) => Deno.permissions.querySync({ name }).state === "granted");
  if (!mayAll || !exists(SHARED_FOLDER)) return null;
  return newSharedFiles({
    pid: Deno.pid,
    make: (path) => opened(Deno.openSync(path, { read: true, write: true, createNew: true, mode: 0o600 })),
    open: (path) => opened(Deno.openSync(path, { read: true, write: true })),
    remove,
    list: (folder) => [...Deno.readDirSync(folder)].map((entry) => entry.name),
    isRunning: (pid) => exists(`/proc/${pid}`),
  });
}

function opened(file: DenoFile): OpenFile {
  return {
    write(bytes, at) {
      file.seekSync(at, 0);
      return file.writeSync(bytes);
    },
    memory: (length) => new Uint8Array(length),
    read(into, at) {
      file.seekSync(at, 0);
      return file.readSync(into) ?? 0;
    },
    truncate: () => file.truncateSync(),
    close: () => file.close(),
  };
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Gone before, or another user's.
  }
}
