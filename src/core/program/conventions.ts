/**
 * What JSON-RPC leaves open and each family of programs settles for itself: how a request is cancelled, and how one that runs
 * tells of its progress.
 *
 * @module
 */

import { isRecord, type MessageId, type Params } from "./message.ts";

export interface Notification {
  readonly method: string;
  readonly params: Params;
}

export interface Progress {
  /** The token that the request carried. */
  readonly token: unknown;
  readonly value: unknown;
}

export interface Conventions {
  /** What tells the peer that nobody waits for request `id` any more. */
  cancel(id: number): Notification;
  /** The request that a peer's notification cancels, where it does. */
  cancelledId(notification: Notification): MessageId | undefined;
  /** `params` that ask for progress under `token`; as they are where they have no place for it. */
  withToken(params: Params, token: number): Params;
  /** The progress that a peer's notification tells of, where it does. */
  progress(notification: Notification): Progress | undefined;
}

/** Of the Language Server Protocol, and of whoever uses its libraries for something else. */
export const LSP_CONVENTIONS: Conventions = {
  cancel: (id) => ({ method: "$/cancelRequest", params: { id } }),
  cancelledId: ({ method, params }) => method === "$/cancelRequest" ? idOf(params, "id") : undefined,
  withToken: (params, token) =>
    isRecord(params) && !("workDoneToken" in params) ? { ...params, workDoneToken: token } : params,
  progress: ({ method, params }) =>
    method === "$/progress" && isRecord(params) ? { token: params["token"], value: params["value"] } : undefined,
};

/** Of the Model Context Protocol. */
export const MCP_CONVENTIONS: Conventions = {
  cancel: (requestId) => ({ method: "notifications/cancelled", params: { requestId, reason: "nobody waits for it" } }),
  cancelledId: ({ method, params }) => method === "notifications/cancelled" ? idOf(params, "requestId") : undefined,
  withToken(params, token) {
    if (params !== undefined && !isRecord(params)) return params;
    const meta = isRecord(params?.["_meta"]) ? params["_meta"] : {};
    return { ...params, _meta: { progressToken: token, ...meta } };
  },
  progress({ method, params }) {
    if (method !== "notifications/progress" || !isRecord(params)) return undefined;
    const { progressToken, ...value } = params;
    return { token: progressToken, value };
  },
};

function idOf(params: Params, key: string): MessageId | undefined {
  const id = isRecord(params) ? params[key] : undefined;
  return typeof id === "number" || typeof id === "string" ? id : undefined;
}
