/**
 * How far a command is, in the form that the client asked for with its request.
 *
 * @module
 */

import { progressTo } from "../core/call/forward.ts";
import { plainText } from "../core/frame/json_codec.ts";
import { isRecord } from "../core/is_record.ts";
import type { Notification } from "../core/program/conventions.ts";
import type { Params } from "../core/program/message.ts";

export interface AskedRequest {
  /** What the command gets: the parameters without the token. */
  readonly params: Params;
  /** Tells the client what the command says of its progress; absent where it did not ask for that. */
  readonly onProgress?: (value: unknown) => void;
}

/**
 * A request of the Model Context Protocol asks with `_meta.progressToken`, one of the Language Server Protocol with `workDoneToken`.
 * JSON-RPC itself knows no progress.
 */
export function askedRequest(params: Params, notify: (notification: Notification) => void): AskedRequest {
  if (params === undefined || !isRecord(params)) return { params };
  const { _meta: meta, workDoneToken, ...rest } = params;
  if (isRecord(meta) && isToken(meta["progressToken"])) {
    const { progressToken, ...others } = meta;
    const kept = Object.keys(others).length === 0 ? {} : { _meta: others };
    const lsp = workDoneToken === undefined ? {} : { workDoneToken };
    return { params: given({ ...rest, ...lsp, ...kept }), onProgress: mcpProgress(progressToken, notify) };
  }
  if (!isToken(workDoneToken)) return { params };
  return {
    params: given({ ...rest, ...(meta === undefined ? {} : { _meta: meta }) }),
    onProgress: progressTo({
      progress: (value) => notify({ method: "$/progress", params: { token: workDoneToken, value } }),
    }),
  };
}

/** Its `progress` is a number that grows with each notification. */
function mcpProgress(progressToken: unknown, notify: (notification: Notification) => void): (value: unknown) => void {
  let count = 0;
  return progressTo({
    progress(value) {
      const params = { progressToken, ...shownProgress(value, count + 1) };
      notify({ method: "notifications/progress", params });
      count++;
    },
  });
}

/** A number, or an object with a number as `progress`, is what the protocol has; anything else is counted and shown as text. */
function shownProgress(value: unknown, count: number): Readonly<Record<string, unknown>> {
  if (typeof value === "number") return { progress: value };
  if (isRecord(value) && typeof value["progress"] === "number") return value;
  return { progress: count, message: typeof value === "string" ? value : plainText(value, "progress") ?? "" };
}

function isToken(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

/** A request that had nothing but its token had no parameters. */
function given(params: Readonly<Record<string, unknown>>): Params {
  return Object.keys(params).length === 0 ? undefined : params;
}
