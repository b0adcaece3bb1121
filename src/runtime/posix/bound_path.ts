/**
 * Where a listener of Deno is bound before its socket gets its own path as a second name: the system's list of listeners knows no
 * other, so it must tell which path is served.
 *
 * @module
 */

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
