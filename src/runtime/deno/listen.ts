/** A unix socket that this process serves at a path that others know. */

import { pause } from "../posix/clock.ts";
import { cannotListen } from "../posix/failure_reason.ts";
import { attempt } from "../posix/proc.ts";
import { boundPath } from "../posix/socket_path.ts";
import type { Channel, Listener } from "../runtime.ts";
import { socketChannel } from "./channel.ts";
import { type DenoListener, type DenoNamespace, isGranted } from "./namespace.ts";

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
function bindPrivately(path: string): DenoListener {
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

/** It may be gone before: a listener removes its own socket. */
function remove(path: string): void {
  attempt(() => Deno.removeSync(path));
}
