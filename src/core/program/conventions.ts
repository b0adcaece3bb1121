/**
 * What JSON-RPC leaves open and each family of programs settles for itself: how a request is cancelled, and how one that runs
 * tells of its progress.
 *
 * @module
 */

import { isRecord } from "../is_record.ts";
import type { MessageId, Params } from "./message.ts";

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
  /** Parameters that ask for progress, and the token that it comes under; `id` is one that no other request has. */
  withToken(params: Params, id: number): { readonly params: Params; readonly token: unknown };
  /** The progress that a peer's notification tells of, where it does. */
  progress(notification: Notification): Progress | undefined;
}

/** Of the Language Server Protocol, and of whoever uses its libraries for something else. */
export const LSP_CONVENTIONS: Conventions = {
  cancel: (id) => ({ method: "$/cancelRequest", params: { id } }),
  cancelledId: ({ method, params }) => method === "$/cancelRequest" ? idOf(params, "id") : undefined,
  // Which requests may have a token is in the specification of each: whoever wants progress puts one there.
  withToken: (params) => ({ params, token: isRecord(params) ? params["workDoneToken"] : undefined }),
  progress: ({ method, params }) =>
    method === "$/progress" && isRecord(params) ? { token: params["token"], value: params["value"] } : undefined,
};

/** Of the Model Context Protocol. */
export const MCP_CONVENTIONS: Conventions = {
  cancel: (requestId) => ({ method: "notifications/cancelled", params: { requestId, reason: "nobody waits for it" } }),
  cancelledId: ({ method, params }) => method === "notifications/cancelled" ? idOf(params, "requestId") : undefined,
  withToken(params, id) {
    if (params !== undefined && !isRecord(params)) return { params, token: undefined };
    const meta = { progressToken: id, ...(isRecord(params?.["_meta"]) ? params["_meta"] : {}) };
    return { params: { ...params, _meta: meta }, token: meta.progressToken };
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
