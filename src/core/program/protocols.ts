/**
 * What a family of programs does beside JSON-RPC itself: how it is greeted, checked and ended, how a request is cancelled, and how one
 * that runs reports its progress.
 */

import type { Connection, Conventions } from "./connection.ts";
import type { ProtocolName } from "../settings/settings.ts";
import { isRecord } from "../checks.ts";
import type { MessageId, Params } from "./message.ts";

export interface Client {
  readonly version: string;
  readonly pid: number;
  /** Methods that it answers. */
  readonly requests: readonly string[];
  /** What the user wants in the parameters of `initialize`, over what brokkr puts there. */
  readonly initialize: Readonly<Record<string, unknown>>;
}

export interface Protocol {
  readonly conventions: Conventions;
  /** What both say first. Resolves with the program's answer, or undefined where nothing is said. */
  initialize?(connection: Connection, client: Client): Promise<unknown>;
  /** Asks for an answer of any kind; resolves when it came. */
  ping?(connection: Connection): Promise<unknown>;
  /** Asks the program to end, before its input is closed. */
  shutdown?(connection: Connection): Promise<unknown>;
  /** What every client answers. */
  readonly requests: ReadonlyMap<string, () => unknown>;
}

export const LSP_CONVENTIONS: Conventions = {
  cancel: (id) => ({ method: "$/cancelRequest", params: { id } }),
  cancelledId: ({ method, params }) => method === "$/cancelRequest" ? idOf(params, "id") : undefined,
  // The specification of each request says whether it may have a token: a caller that wants progress adds one.
  withToken: (params) => ({ params, token: isRecord(params) ? params["workDoneToken"] : undefined }),
  progress: ({ method, params }) =>
    method === "$/progress" && isRecord(params) ? { token: params["token"], value: params["value"] } : undefined,
};

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

/** What is offered; a server may answer with another one, which stands in its answer. */
const PROTOCOL_VERSION = "2025-06-18";

/** What a client has to say of the requests that it answers. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots"],
]);

/**
 * The Model Context Protocol over standard input and output: https://modelcontextprotocol.io/specification
 *
 * It has no message that asks a server to end: the end of its input does.
 */
const MCP: Protocol = {
  conventions: MCP_CONVENTIONS,
  async initialize(connection, { version, requests, initialize }) {
    const answered = requests.map((method) => CAPABILITIES.get(method)).filter((name) => name !== undefined);
    const capabilities = Object.fromEntries(answered.map((name) => [name, {}]));
    const clientInfo = { name: "brokkr", version };
    const params = { protocolVersion: PROTOCOL_VERSION, capabilities, clientInfo, ...initialize };
    const result = await connection.request("initialize", params);
    connection.notify({ method: "notifications/initialized", params: undefined });
    return result;
  },
  ping: (connection) => connection.request("ping", undefined),
  requests: new Map([["ping", () => ({})]]),
};

/** The Language Server Protocol: https://microsoft.github.io/language-server-protocol */
const LSP: Protocol = {
  conventions: LSP_CONVENTIONS,
  async initialize(connection, { version, pid, initialize }) {
    const clientInfo = { name: "brokkr", version };
    const params = { processId: pid, clientInfo, rootUri: null, capabilities: {}, ...initialize };
    const result = await connection.request("initialize", params);
    connection.notify({ method: "initialized", params: {} });
    return result;
  },
  // The specification has no ping, but wants each unknown request that begins with "$/" answered with an error.
  ping: (connection) => connection.request("$/ping", undefined),
  async shutdown(connection) {
    await connection.request("shutdown", undefined);
    connection.notify({ method: "exit", params: undefined });
  },
  requests: new Map(),
};

const JSON_RPC: Protocol = { conventions: LSP_CONVENTIONS, requests: new Map() };

export function protocolOf(name: ProtocolName): Protocol {
  switch (name) {
    case "json-rpc":
    case "none":
      return JSON_RPC;
    case "mcp":
      return MCP;
    case "lsp":
      return LSP;
  }
}

function idOf(params: Params, key: string): MessageId | undefined {
  const id = isRecord(params) ? params[key] : undefined;
  return typeof id === "number" || typeof id === "string" ? id : undefined;
}
