import { process } from "./global.ts";
import { CLUSTER_WORKER, NO_FILE, PM2_CLUSTER } from "../posix/repeat.ts";

/** Why a new process can't run the program of this one, in Node and in Bun; null where it can. */
export function cannotRepeat(isNoFile: boolean): string | null {
  if (isNoFile) return NO_FILE;
  // A worker has a channel to its primary. `node:cluster` is loaded where there is one only.
  if (process.send === undefined || Reflect.get(process.getBuiltinModule("node:cluster"), "isWorker") !== true) {
    return null;
  }
  return process.env["pm_exec_path"] === undefined ? CLUSTER_WORKER : PM2_CLUSTER;
}
