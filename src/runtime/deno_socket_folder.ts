import type { DenoNamespace } from "./deno_namespace.ts";
import { failureReason } from "./failure_reason.ts";

declare const Deno: DenoNamespace;
declare function addEventListener(type: "unload", fn: () => void): void;
declare function removeEventListener(type: "unload", fn: () => void): void;

/** What macOS takes as the path of a unix socket, with its ending zero; Linux takes four more. */
const PATH_LIMIT = 104;

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
  for (const options of [{ prefix }, { prefix, dir: "/tmp" }]) {
    try {
      const path = Deno.makeTempDirSync(options);
      if (new TextEncoder().encode(`${path}/1234567`).length < PATH_LIMIT) return path;
      remove(path);
    } catch (error) {
      cause ??= error;
    }
  }
  const reason = cause === undefined ? "every temporary folder has too long a path, set TMPDIR" : failureReason(cause);
  throw new Error(`Cannot make a folder for the sockets of new processes: ${reason}`, { cause });
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Gone before: a listener removes its own socket.
  }
}
