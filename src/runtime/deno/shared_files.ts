import { newSharedFiles, type OpenFile, SHARED_FOLDER } from "../posix/shared_files.ts";
import type { SharedFiles } from "../runtime.ts";
import type { DenoFile, DenoNamespace, DenoPermission } from "./namespace.ts";

declare const Deno: DenoNamespace;

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
