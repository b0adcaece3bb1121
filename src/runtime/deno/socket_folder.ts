import type { DenoNamespace } from "./namespace.ts";
import { failureCode, failureReason } from "../posix/failure_reason.ts";

declare const Deno: DenoNamespace;
declare function addEventListener(type: "unload", fn: () => void): void;
declare function removeEventListener(type: "unload", fn: () => void): void;

/** What macOS takes as the path of a unix socket, with its ending zero; Linux takes four more. */
const PATH_LIMIT = 104;
/** Why no folder can be made at any later try either. */
const LASTING: readonly (string | undefined)[] = ["EROFS", "EACCES"];

/** Hands out paths for sockets in a folder of this process that no other user can enter. It exists while a path is in use. */
export class SocketFolder {
  #path: string | undefined;
  #inUse = 0;
  #made = 0;

  take(): string {
    if (this.#path === undefined) {
      this.#path = makeFolder();
      addEventListener("unload", this.#removeAll);
    }
    this.#inUse++;
    return `${this.#path}/${++this.#made}`;
  }

  release(path: string): void {
    remove(path);
    this.#inUse--;
    if (this.#inUse > 0) return;
    removeEventListener("unload", this.#removeAll);
    this.#removeAll();
  }

  readonly #removeAll = (): void => {
    if (this.#path !== undefined) remove(this.#path);
    this.#path = undefined;
  };
}

function makeFolder(): string {
  let cause: unknown;
  // The pid says whose it was, where this process is killed before it can remove it.
  const prefix = `brokkr-sockets-${Deno.pid}-`;
  for (const options of [{ prefix }, ...ownRuntimeFolder().map((dir) => ({ prefix, dir })), { prefix, dir: "/tmp" }]) {
    try {
      const path = Deno.makeTempDirSync(options);
      if (new TextEncoder().encode(`${path}/1234567`).length < PATH_LIMIT) return path;
      remove(path);
    } catch (error) {
      cause ??= error;
    }
  }
  const reason = cause === undefined
    ? "every temporary folder has too long a path, set TMPDIR to a shorter one"
    : `no temporary folder can be written in (${failureCode(cause) ?? failureReason(cause)}), ` +
      "set XDG_RUNTIME_DIR or TMPDIR to a folder of this user that can, such as one on a tmpfs";
  const error = new Error(`Cannot make sockets for new processes: ${reason}`, { cause });
  throw LASTING.includes(failureCode(cause)) ? Object.assign(error, { lasting: true }) : error;
}

/** `$XDG_RUNTIME_DIR`, where it is this user's: on a read-only root it may be the only folder to write in. */
function ownRuntimeFolder(): string[] {
  try {
    const folder = Deno.env.get("XDG_RUNTIME_DIR") ?? "";
    return folder.startsWith("/") && Deno.lstatSync(folder).uid === Deno.uid() ? [folder] : [];
  } catch {
    return [];
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Gone before: a listener removes its own socket.
  }
}
