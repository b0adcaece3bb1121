/**
 * The Language Server Protocol: https://microsoft.github.io/language-server-protocol
 *
 * @module
 */

import { LSP_CONVENTIONS } from "./conventions.ts";
import type { Protocol } from "./protocol.ts";

export const LSP: Protocol = {
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
