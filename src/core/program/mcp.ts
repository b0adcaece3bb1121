/**
 * The Model Context Protocol over standard input and output: https://modelcontextprotocol.io/specification
 *
 * @module
 */

import { MCP_CONVENTIONS } from "./conventions.ts";
import type { Protocol } from "./protocol.ts";

/** What is offered; a server may answer with another one, which stands in its answer. */
const PROTOCOL_VERSION = "2025-06-18";

/** What a client has to say of the requests that it answers. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots"],
]);

/** It has no message that asks a server to end: the end of its input does. */
export const MCP: Protocol = {
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
