/**
 * What a family of programs does beside JSON-RPC itself: how it is greeted, asked for a sign of life, and ended.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import { type Conventions, LSP_CONVENTIONS } from "./conventions.ts";
import type { ProtocolName } from "../module/settings.ts";
import { LSP } from "./lsp.ts";
import { MCP } from "./mcp.ts";

/** What a client says of itself. */
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
  /** Asks for a sign of life; resolves when it came. */
  ping?(connection: Connection): Promise<unknown>;
  /** Asks the program to end, before its input is closed. */
  shutdown?(connection: Connection): Promise<unknown>;
  /** What every client answers. */
  readonly requests: ReadonlyMap<string, () => unknown>;
}

const JSON_RPC: Protocol = { conventions: LSP_CONVENTIONS, requests: new Map() };

export function protocolOf(name: ProtocolName): Protocol {
  switch (name) {
    case "json-rpc":
      return JSON_RPC;
    case "mcp":
      return MCP;
    case "lsp":
      return LSP;
  }
}
