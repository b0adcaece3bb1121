/**
 * The wordings of `supervision_lines.ts`, for reading.
 *
 * @module
 */

import { parseSeconds } from "../duration.ts";
import { type Wording, wording } from "./wordings.ts";

export const SUPERVISED_PROCESS_WORDINGS: readonly Wording[] = [
  wording(
    "new",
    "{process} was sent {signal} (pid {childPid}): {reason}",
    ([process = "", signal = "", pid = "", reason = ""]) => ({
      event: "process.killed",
      fields: { process, childPid: pid === "none" ? null : Number(pid), signal, reason },
    }),
  ),
  wording(
    "new",
    "{process} is blocked: no sign of life for {time}s (pid {childPid})",
    ([process = "", time = "", pid]) => ({
      event: "process.blocked",
      fields: { process, childPid: Number(pid), ms: parseSeconds(time) },
    }),
  ),
  wording(
    "new",
    "{process} gives signs of life again after {time}s (pid {childPid})",
    ([process = "", time = "", pid]) => ({
      event: "process.unblocked",
      fields: { process, childPid: Number(pid), ms: parseSeconds(time) },
    }),
  ),
  wording(
    "new",
    "{process} holds {bytes} MiB, more than {limit} MiB (pid {childPid})",
    ([process = "", bytes = "", limit = "", pid]) => ({
      event: "process.memory",
      fields: { process, childPid: Number(pid), bytes: bytesOf(bytes), limitBytes: bytesOf(limit) },
    }),
  ),
  wording(
    "new",
    "{process} is being replaced (pid {childPid}): {reason}",
    ([process = "", pid, reason = ""]) => ({
      event: "process.replacing",
      fields: { process, childPid: Number(pid), reason },
    }),
  ),
  wording(
    "new",
    "{process} was replaced in {time}s (pid {childPid} after pid {oldPid})",
    ([process = "", time = "", pid, oldPid]) => ({
      event: "process.replaced",
      fields: { process, childPid: Number(pid), oldPid: Number(oldPid), ms: parseSeconds(time) },
    }),
  ),
  wording(
    "new",
    "{process} starts in {instead}: the working directory {folder} is gone",
    ([process = "", instead = "", folder = ""]) => ({
      event: "process.folder-gone",
      fields: { process, folder, instead },
    }),
  ),
  wording(
    "new",
    "{process} could not be replaced and goes on (pid {childPid}): {reason}",
    ([process = "", pid, reason = ""]) => ({
      event: "process.kept",
      fields: { process, childPid: Number(pid), reason },
    }),
  ),
];

export const RELOAD_WORDINGS: readonly Wording[] = [
  wording(
    "new",
    "The configuration is in force after {time}s " +
      "(replaced: {replaced}, kept: {kept}, added: {added}, removed: {removed})",
    ([time = "", replaced, kept, added, removed]) => ({
      event: "broker.reloaded",
      fields: {
        replaced: Number(replaced),
        kept: Number(kept),
        added: Number(added),
        removed: Number(removed),
        ms: parseSeconds(time),
      },
    }),
  ),
  wording("new", "The configuration stays as it was: {reason}", ([reason = ""]) => ({
    event: "broker.not-reloaded",
    fields: { reason },
  })),
  wording(
    "new",
    "The broker has no guard at the moment, it is started again in {time}s: {reason}",
    ([time = "", reason = ""]) => ({ event: "broker.unguarded", fields: { reason, delayMs: parseSeconds(time) } }),
  ),
  wording(
    "new",
    "The broker is process 1, and nobody collects processes that have lost their parent: they stay as zombies; " +
      "what to do: {remedy}",
    ([remedy = ""]) => ({ event: "broker.no-init", fields: { remedy } }),
  ),
  wording(
    "new",
    "{lines} log lines are lost, {file} could not be written: {reason}",
    ([lines, file = "", reason = ""]) => ({ event: "log.lost", fields: { file, lines: Number(lines), reason } }),
  ),
];

/** Printed in MiB with one decimal, so bytes are right to that. */
function bytesOf(mebibytes: string): number {
  return Math.round(Number(mebibytes) * 1_048_576);
}
