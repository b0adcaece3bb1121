/** Files that only this user sees, and files in memory, by Deno's own functions. */

import { newSharedFiles, type OpenFile, SHARED_FOLDER } from "../posix/shared_files.ts";
import { type FolderFacts, privateFolder } from "../posix/socket_path.ts";
import type { PrivateFiles, SharedFiles } from "../runtime.ts";
import { type DenoFile, type DenoNamespace, type DenoPermission, isGranted } from "./namespace.ts";

declare const Deno: DenoNamespace;

export const privateFiles: PrivateFiles = {
  folder: (name) =>
    privateFolder(name, {
      variable: (name) => Deno.env.get(name),
      uid: Deno.uid(),
      make: (path) => Deno.mkdirSync(path, { mode: 0o700 }),
      look,
    }),
  list,
  remove,
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

/** Null where the system has no folder for them, or this process not all rights. */
export function sharedFiles(): SharedFiles | null {
  const mayAll = RIGHTS.every((name) => isGranted({ name }));
  if (!mayAll || !exists(SHARED_FOLDER)) return null;
  return newSharedFiles({
    pid: Deno.pid,
    make: (path) => opened(Deno.openSync(path, { read: true, write: true, createNew: true, mode: 0o600 })),
    open: (path) => opened(Deno.openSync(path, { read: true, write: true })),
    remove,
    list,
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

function list(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
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
