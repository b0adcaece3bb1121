/** Unix sockets that this process serves: for the control commands, and one for each process that it starts. */

import { pause } from "../posix/clock.ts";
import { failureCode, failureReason } from "../posix/failure_reason.ts";
import { boundPath, PATH_LIMIT } from "../posix/socket_path.ts";
import type { Channel, Listener } from "../runtime.ts";
import { socketChannel } from "./channel.ts";
import { type DenoListener, type DenoNamespace, ifReadable, isGranted } from "./namespace.ts";

declare const Deno: DenoNamespace;

const OWNER_ONLY = 0o177;
/** After a failed accept, where every descriptor is in use. */
const PAUSE_MS = 100;

/** Serves a unix socket that no other user can open at any time. */
// deno-lint-ignore require-await
export async function listen(path: string, accept: (channel: Channel) => void): Promise<Listener> {
  const listener = bindAndLink(path);
  let closed = false;
  void acceptAll();
  return {
    close() {
      if (closed) return;
      closed = true;
      remove(path);
      listener.close();
    },
  };

  async function acceptAll(): Promise<void> {
    while (!closed) {
      const conn = await listener.accept().catch(() => undefined);
      if (conn !== undefined) accept(socketChannel(conn));
      else if (!closed) await pause(PAUSE_MS);
    }
  }
}

/**
 * Deno removes the path that a listener was bound to, some turns after its close. By then the path may be that of another
 * listener, so the one that others see is a second name.
 */
function bindAndLink(path: string): DenoListener {
  const bound = boundPath(path, Deno.pid);
  const listener = bindPrivately(bound);
  try {
    Deno.linkSync(bound, path);
    return listener;
  } catch (cause) {
    listener.close();
    throw cannotListen(path, cause);
  } finally {
    remove(bound);
  }
}

/** Binding takes the mode from the process' mask, which is changed for this one call. */
export function bindPrivately(path: string): DenoListener {
  const mask = isGranted({ name: "sys", kind: "umask" }) ? Deno.umask(OWNER_ONLY) : undefined;
  if (mask === undefined) requirePrivateFolder(path);
  try {
    return Deno.listen({ transport: "unix", path });
  } catch (cause) {
    throw cannotListen(path, cause);
  } finally {
    if (mask !== undefined) Deno.umask(mask);
  }
}

/** Without the right to change the mask, only the folder keeps others out. */
function requirePrivateFolder(path: string): void {
  const folder = path.slice(0, path.lastIndexOf("/")) || ".";
  if (((Deno.statSync(folder).mode ?? 0) & 0o077) === 0) return;
  throw new Error(
    `Cannot listen on "${path}": other users may enter its folder, set its mode to 0700 or allow sys=umask`,
  );
}

function cannotListen(path: string, cause: unknown): Error {
  return new Error(`Cannot listen on "${path}": ${failureReason(cause)}`, { cause });
}

function remove(path: string, options: { readonly recursive: boolean } = { recursive: false }): void {
  try {
    Deno.removeSync(path, options);
  } catch {
    // Gone before: a listener removes its own socket.
  }
}

declare function addEventListener(type: "unload", fn: () => void): void;
declare function removeEventListener(type: "unload", fn: () => void): void;

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
    if (this.#path !== undefined) remove(this.#path, { recursive: true });
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
    if (!folder.startsWith("/") || !isGranted({ name: "sys", kind: "uid" })) return [];
    return ifReadable(folder, Deno.lstatSync).uid === Deno.uid() ? [folder] : [];
  } catch {
    return [];
  }
}
