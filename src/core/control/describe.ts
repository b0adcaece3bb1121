/**
 * What the modules of a broker can be called with: their commands, the methods of programs, the tools of MCP servers.
 *
 * @module
 */

import type { BrokerCore } from "../broker/broker.ts";
import { isRecord } from "../checks.ts";
import type { JsonSchema } from "../module/discover.ts";
import type { ProtocolName } from "../module/settings.ts";
import { messageOf } from "../user_code.ts";

/** A command, a method or a tool. */
export interface CommandDescription {
  readonly name: string;
  readonly about: string | null;
  readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: JsonSchema }[];
  readonly result: JsonSchema;
  /** Whether it yields its result, item by item. */
  readonly stream: boolean;
}

export interface ModuleDescription {
  readonly name: string;
  readonly kind: "module" | ProtocolName;
  readonly commands: readonly CommandDescription[];
  /** Why nothing is known of it. */
  readonly error: string | null;
}

/** JSON-RPC keeps names that begin with `rpc.` for such commands. */
const DISCOVER = "rpc.discover";
/** Time for each module's answer. */
const TIMEOUT_MS = 5_000;

/** Asks one module, or all. A JSON-RPC program may not know the question, which the log has as an error: with `quiet` it is not asked. */
export async function describeModules(
  core: BrokerCore,
  name: string | undefined,
  quiet: boolean,
): Promise<ModuleDescription[]> {
  // Rejects where there is none of that name.
  const isKnown = name === undefined || core.plan.modules.some(({ module }) => module.name === name);
  if (!isKnown && importsOf(core, name).length === 0) {
    await core.call(name, DISCOVER);
  }
  const modules = core.plan.modules.filter(({ module }) => name === undefined || module.name === name);
  const imports = importsOf(core, name).map((target) => describeImport(core, target, quiet));
  return await Promise.all([
    ...modules.map(async ({ module }): Promise<ModuleDescription> => {
      const kind = module.program?.protocol ?? "module";
      if (quiet && kind === "json-rpc") return { name: module.name, kind, commands: [], error: null };
      try {
        const ask = (command: string) => core.call(module.name, command, [], { timeoutMs: TIMEOUT_MS });
        return { name: module.name, kind, commands: await commandsOf(kind, ask), error: null };
      } catch (error) {
        return { name: module.name, kind, commands: [], error: messageOf(error) };
      }
    }),
    ...imports,
  ]);
}

/** What is imported of that name, or all. */
function importsOf(core: BrokerCore, name: string | undefined): readonly string[] {
  const all = core.plan.cluster?.settings.imports ?? [];
  return name === undefined ? all : all.includes(name.split("@")[0] ?? "") ? [name] : [];
}

/** A module of others, which may let only some of its commands be called, and then not the one that describes them. */
async function describeImport(core: BrokerCore, name: string, quiet: boolean): Promise<ModuleDescription> {
  const [module = "", node = null] = name.split("@");
  const described = { name, kind: "module", commands: [], error: null } as const;
  try {
    if (quiet) throw new Error("it was not asked");
    const answer = await core.call(name, DISCOVER, [], { timeoutMs: TIMEOUT_MS });
    return { ...described, commands: listIn(answer, "methods").map(method) };
  } catch (error) {
    const members = core.clusterStatus()?.members ?? [];
    const names = members.filter((member) => node === null || member.node === node)
      .flatMap(({ exports }) => exports[module]?.commands ?? []);
    const commands = [...new Set(names)].map((name) => method({ name }));
    return { ...described, commands, error: commands.length === 0 ? messageOf(error) : null };
  }
}

async function commandsOf(
  kind: ModuleDescription["kind"],
  ask: (command: string) => Promise<unknown>,
): Promise<CommandDescription[]> {
  if (kind === "none") return [];
  if (kind === "mcp") return listIn(await ask("tools/list"), "tools").map(tool);
  if (kind === "lsp") return capabilities(await ask("initialize"));
  return listIn(await ask(DISCOVER), "methods").map(method);
}

/** https://modelcontextprotocol.io/specification */
function tool({ name, description, inputSchema, outputSchema }: JsonSchema): CommandDescription {
  return {
    name: String(name),
    about: typeof description === "string" ? description : null,
    params: [{ name: "arguments", required: true, schema: isRecord(inputSchema) ? inputSchema : {} }],
    result: isRecord(outputSchema) ? outputSchema : {},
    stream: false,
  };
}

/** Of OpenRPC. */
function method(given: JsonSchema): CommandDescription {
  const { name, summary, description = summary, params, result } = given;
  return {
    name: String(name),
    about: typeof description === "string" ? description : null,
    params: (Array.isArray(params) ? params : []).filter(isRecord).map(({ name, required, schema }) => ({
      name: String(name),
      required: required === true,
      schema: isRecord(schema) ? schema : {},
    })),
    result: isRecord(result) && isRecord(result["schema"]) ? result["schema"] : {},
    stream: given["x-stream"] === true,
  };
}

/** Methods that are not named after their capability. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ["callHierarchy", "textDocument/prepareCallHierarchy"],
  ["documentFormatting", "textDocument/formatting"],
  ["documentOnTypeFormatting", "textDocument/onTypeFormatting"],
  ["documentRangeFormatting", "textDocument/rangeFormatting"],
  ["executeCommand", "workspace/executeCommand"],
  ["semanticTokens", "textDocument/semanticTokens/full"],
  ["typeHierarchy", "textDocument/prepareTypeHierarchy"],
  ["workspaceSymbol", "workspace/symbol"],
]);

/** A language server names its methods by what it provides: https://microsoft.github.io/language-server-protocol */
function capabilities(greeting: unknown): CommandDescription[] {
  const provided = isRecord(greeting) && isRecord(greeting["capabilities"]) ? greeting["capabilities"] : {};
  const names = Object.entries(provided).filter(([, value]) => value !== false && value !== null)
    .flatMap(([key]) => /^(.+)Provider$/.exec(key)?.[1] ?? []);
  return names.map((name) => ({
    name: METHODS.get(name) ?? `textDocument/${name}`,
    about: null,
    params: [{ name: "params", required: true, schema: {} }],
    result: {},
    stream: false,
  }));
}

function listIn(value: unknown, key: string): JsonSchema[] {
  const list: unknown = isRecord(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
