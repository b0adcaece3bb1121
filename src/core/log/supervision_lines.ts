/**
 * What brokkr does with a process on its own account, and the lines that say so.
 *
 * @module
 */

import { formatDuration, formatTimeout } from "../duration.ts";
import { escapeName as name, escapeText as text } from "./escape.ts";
import { formatMebibytes, line, type LineKind } from "./line_kind.ts";

/** Fields of the events of supervision, by id. */
export interface SupervisionFields {
  /** WARNING: brokkr sent a process a signal, because a deadline passed or it broke its channel. */
  "process.killed": {
    readonly process: string;
    readonly childPid: number | null;
    readonly signal: string;
    readonly reason: string;
  };
  /** WARNING: a process has given no sign of life for `ms`. */
  "process.blocked": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** INFO: a blocked process gives signs of life again, `ms` after the last one. */
  "process.unblocked": { readonly process: string; readonly childPid: number; readonly ms: number };
  /** WARNING: a process holds more memory than `memory.warnBytes`; once, until it held less. */
  "process.memory": {
    readonly process: string;
    readonly childPid: number;
    readonly bytes: number;
    readonly limitBytes: number;
  };
  /** INFO: a process is being replaced: a new one starts, and takes over when it is ready. */
  "process.replacing": { readonly process: string; readonly childPid: number; readonly reason: string };
  /** INFO: the process `childPid` has taken over from `oldPid`, `ms` after that was begun. */
  "process.replaced": {
    readonly process: string;
    readonly childPid: number;
    readonly oldPid: number;
    readonly ms: number;
  };
  /** ERROR: the new process did not become ready, so the old one goes on. */
  "process.kept": { readonly process: string; readonly childPid: number; readonly reason: string };
  /** WARNING: the folder that new processes start in is gone, so they start in another one; once. */
  "process.folder-gone": { readonly process: string; readonly folder: string; readonly instead: string };
  /** INFO: a changed configuration is in force; how many modules were replaced, kept as they were, added and removed. */
  "broker.reloaded": {
    readonly replaced: number;
    readonly kept: number;
    readonly added: number;
    readonly removed: number;
    readonly ms: number;
  };
  /** ERROR: a changed configuration could not be read, so the old one stays. */
  "broker.not-reloaded": { readonly reason: string };
  /** WARNING: the broker is the first process of its container, so that nobody collects processes that lose their parent. */
  "broker.no-init": { readonly remedy: string };
  /** WARNING: the guard has ended and could not be started; the next try is in `delayMs`. */
  "broker.unguarded": { readonly reason: string; readonly delayMs: number };
  /** WARNING: the log file, or `standard error`, can be written again; that many lines are not in it. */
  "log.lost": { readonly file: string; readonly lines: number; readonly reason: string };
}

export const SUPERVISION_KINDS: { readonly [Id in keyof SupervisionFields]: LineKind<Id> } = {
  "process.killed": line(
    "PROCESS",
    "warning",
    ({ process, childPid, signal, reason }) =>
      `${name(process)} was sent ${name(signal)} (pid ${childPid ?? "none"}): ${text(reason)}`,
  ),
  "process.blocked": line(
    "PROCESS",
    "warning",
    ({ process, childPid, ms }) =>
      `${name(process)} is blocked: no sign of life for ${formatDuration(ms)} (pid ${childPid})`,
  ),
  "process.unblocked": line(
    "PROCESS",
    "info",
    ({ process, childPid, ms }) =>
      `${name(process)} gives signs of life again after ${formatDuration(ms)} (pid ${childPid})`,
  ),
  "process.memory": line(
    "PROCESS",
    "warning",
    ({ process, childPid, bytes, limitBytes }) =>
      `${name(process)} holds ${formatMebibytes(bytes)}, more than ${formatMebibytes(limitBytes)} (pid ${childPid})`,
  ),
  "process.replacing": line(
    "PROCESS",
    "info",
    ({ process, childPid, reason }) => `${name(process)} is being replaced (pid ${childPid}): ${text(reason)}`,
  ),
  "process.replaced": line(
    "PROCESS",
    "info",
    ({ process, childPid, oldPid, ms }) =>
      `${name(process)} was replaced in ${formatDuration(ms)} (pid ${childPid} after pid ${oldPid})`,
  ),
  "process.kept": line(
    "PROCESS",
    "error",
    ({ process, childPid, reason }) =>
      `${name(process)} could not be replaced and goes on (pid ${childPid}): ${text(reason)}`,
  ),
  "process.folder-gone": line(
    "PROCESS",
    "warning",
    ({ process, folder, instead }) =>
      `${name(process)} starts in ${text(instead)}: the working directory ${text(folder)} is gone`,
  ),
  "broker.reloaded": line(
    "BROKER",
    "info",
    ({ replaced, kept, added, removed, ms }) =>
      `The configuration is in force after ${formatDuration(ms)} ` +
      `(replaced: ${replaced}, kept: ${kept}, added: ${added}, removed: ${removed})`,
  ),
  "broker.not-reloaded": line(
    "BROKER",
    "error",
    ({ reason }) => `The configuration stays as it was: ${text(reason)}`,
  ),
  "broker.no-init": line(
    "BROKER",
    "warning",
    ({ remedy }) =>
      "The broker is process 1, and nobody collects processes that have lost their parent: they stay as zombies; " +
      `what to do: ${text(remedy)}`,
  ),
  "broker.unguarded": line(
    "BROKER",
    "warning",
    ({ reason, delayMs }) =>
      `The broker has no guard at the moment, it is started again in ${formatTimeout(delayMs)}: ${text(reason)}`,
  ),
  "log.lost": line(
    "BROKER",
    "warning",
    ({ file, lines, reason }) => `${lines} log lines are lost, ${text(file)} could not be written: ${text(reason)}`,
  ),
};
