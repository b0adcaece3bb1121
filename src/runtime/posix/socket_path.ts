/** Where unix sockets are: the folder that only this user enters, and the names that they are bound to. */

import { failureCode } from "./failure_reason.ts";

/** What macOS takes as the path of a unix socket, with its ending zero; Linux takes four more. */
export const PATH_LIMIT = 104;

/** What the system says of a folder, without following a link. */
export interface FolderFacts {
  readonly isFolder: boolean;
  /** Null where the system has no owners. */
  readonly uid: number | null;
  readonly mode: number;
}

export interface FolderAccess {
  variable(name: string): string | undefined;
  /** Null where the system has no users. */
  readonly uid: number | null;
  /** Makes the folder with mode 0700. Throws where something is there already. */
  make(path: string): void;
  /** Null where nothing is there. */
  look(path: string): FolderFacts | null;
}

/**
 * The folder `name` of this user, which nobody else can enter: in `$XDG_RUNTIME_DIR` where that is this user's own, else in the
 * temporary directory with the user's number in its name.
 */
export function privateFolder(name: string, access: FolderAccess): string {
  const path = placeOf(name, access);
  let cause: unknown;
  if (access.look(path) === null) {
    try {
      access.make(path);
    } catch (error) {
      // Another process of this user may have been faster; whatever is there now is checked.
      cause = error;
    }
  }
  const facts = access.look(path);
  if (facts === null) {
    const why = failureCode(cause) ?? (cause instanceof Error ? cause.message : String(cause));
    throw new Error(
      `Cannot make a folder for control sockets in "${path.slice(0, path.lastIndexOf("/"))}": ${why}, ` +
        "set XDG_RUNTIME_DIR to a folder of this user that can be written in, such as one on a tmpfs",
      { cause },
    );
  }
  const wrong = whatIsWrong(path, facts, access.uid);
  if (wrong !== null) throw new Error(`Cannot use folder "${path}" for control sockets: ${wrong}`);
  return path;
}

function placeOf(name: string, { variable, uid, look }: FolderAccess): string {
  const runtime = variable("XDG_RUNTIME_DIR") ?? "";
  if (runtime.startsWith("/")) {
    // After sudo the variable may still name another user's folder.
    const facts = look(runtime);
    if (facts !== null && facts.isFolder && facts.uid === uid) return `${withoutSlash(runtime)}/${name}`;
  }
  const temporary = variable("TMPDIR") ?? "";
  return `${temporary.startsWith("/") ? withoutSlash(temporary) : "/tmp"}/${name}-${uid ?? "user"}`;
}

function whatIsWrong(path: string, { isFolder, uid, mode }: FolderFacts, ownUid: number | null): string | null {
  if (!isFolder) return "it is a file or a link and should be a folder, remove it";
  if (uid !== ownUid) {
    return `it belongs to user ${uid} and should belong to user ${ownUid}, remove it or set XDG_RUNTIME_DIR`;
  }
  if ((mode & 0o077) === 0) return null;
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  return `other users may enter it, its mode is ${shown} and should be 0700, run: chmod 700 ${path}`;
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

const BASE = 36;
const MARK_LENGTH = 3;

/**
 * With `pid`, as a listener of another process may be bound beside it. At most three bytes more than the path of the shortest name
 * has, and Linux takes four more than a path of ours may have.
 */
export function boundPath(path: string, pid: number): string {
  return boundStart(path) + pid.toString(BASE);
}

/** What every {@link boundPath} of `path` begins with. */
export function boundStart(path: string): string {
  const nameAt = path.lastIndexOf("/") + 1;
  let hash = 0;
  for (let at = nameAt; at < path.length; at++) hash = Math.imul(hash, 31) + path.charCodeAt(at) >>> 0;
  const mark = (hash % BASE ** MARK_LENGTH).toString(BASE).padStart(MARK_LENGTH, "0");
  return `${path.slice(0, nameAt)}.${mark}`;
}
