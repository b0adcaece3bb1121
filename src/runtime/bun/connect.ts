import { readFileSync } from "node:fs";
import { boundStart } from "../posix/bound_path.ts";
import { pause } from "../posix/clock.ts";
import { connect as connectOnce } from "../node/socket.ts";
import type { Channel } from "../runtime.ts";

const PAUSE_MS = 50;
const TRIES = 10;
/** Flags of a socket that listens, in /proc/net/unix. */
const LISTENS = "00010000";

/**
 * Bun tells of a listener that is too busy to take one more as it tells of a socket whose listener is dead. A dead one is told at
 * once where nobody listens in its folder; else the busy one gets time. @throws with code `EAGAIN` where it took none.
 */
export async function connect(path: string): Promise<Channel> {
  for (let tries = 1;; tries++) {
    try {
      return await connectOnce(path);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ECONNREFUSED") throw error;
      const listeners = listenersIn(path.slice(0, path.lastIndexOf("/") + 1));
      if (listeners?.length === 0) throw error;
      if (tries === TRIES) throw isServed(path, listeners) ? busy(path, error) : error;
      await pause(PAUSE_MS);
    }
  }
}

/** Whether one of `listeners` is that of `path`, by whichever name it was bound. */
function isServed(path: string, listeners: readonly string[] | null): boolean {
  const start = boundStart(path);
  return listeners?.some((bound) => bound === path || bound.startsWith(start)) ?? false;
}

function busy(path: string, cause: Error): Error {
  const text = `Cannot connect to "${path}": its listener takes no more connections`;
  return Object.assign(new Error(text, { cause }), { code: "EAGAIN" });
}

/** Paths that sockets in `folder` were bound to which listen now; null where the system does not tell. */
function listenersIn(folder: string): string[] | null {
  try {
    const sockets = readFileSync("/proc/net/unix", "utf8").split("\n").map((line) => line.trim().split(/\s+/));
    return sockets.flatMap(([, , , flags, , , , ...words]) => {
      const path = words.join(" ");
      return flags === LISTENS && path.startsWith(folder) ? [path] : [];
    });
  } catch {
    return null;
  }
}
