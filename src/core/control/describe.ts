/** What the modules of a broker can be called with: their commands, the methods of programs, the tools of MCP servers. */

import type { BrokerCore } from "../broker/broker.ts";
import { isRecord } from "../checks.ts";
import { BrokerError, type ErrorCode } from "../faults.ts";
import type { JsonSchema } from "../module/discover.ts";
import type { ProtocolName } from "../settings/settings.ts";
import { messageOf } from "../user_code.ts";

interface ParamDescription {
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
  /** Any number of parameters from its place on. */
  readonly rest?: true;
}

export interface CommandDescription {
  readonly name: string;
  readonly about: string | null;
  readonly params: readonly ParamDescription[];
  readonly result: JsonSchema;
  /** Whether it yields its result, item by item. */
  readonly stream: boolean;
}

export interface ModuleDescription {
  readonly name: string;
  readonly kind: "module" | ProtocolName;
  readonly commands: readonly CommandDescription[];
  /** Why nothing is known of it, or not all. */
  readonly error: string | null;
  /** The code of that error, where it is one of a call. */
  readonly code: ErrorCode | null;
}

type Known = Pick<ModuleDescription, "commands" | "error" | "code">;
type Ask = (command: string, params?: readonly unknown[]) => Promise<unknown>;

interface DescribeOptions {
  readonly name: string | undefined;
  /** Asks none that may log the question as an error. */
  readonly quiet: boolean;
  readonly now: () => number;
  /** The client has gone. */
  readonly signal: AbortSignal;
}

/** JSON-RPC keeps names that begin with `rpc.` for such commands. */
const DISCOVER = "rpc.discover";
/** Time for all answers of a module: less than the client waits for those of all. */
const TIMEOUT_MS = 5_000;
const MAX_PAGES = 100;

/** Asks one module, or all. A JSON-RPC program may not know the question, which the log has as an error: with `quiet` it is not asked. */
export async function describeModules(core: BrokerCore, options: DescribeOptions): Promise<ModuleDescription[]> {
  const { name, quiet } = options;
  // Rejects where there is none of that name.
  const isKnown = name === undefined || core.plan.modules.some(({ module }) => module.name === name);
  if (!isKnown && importsOf(core, name).length === 0) {
    await core.call(name, DISCOVER);
  }
  const modules = core.plan.modules.filter(({ module }) => name === undefined || module.name === name);
  const imports = importsOf(core, name).map((target) => describeImport(core, target, options));
  return await Promise.all([
    ...modules.map(async ({ module }): Promise<ModuleDescription> => {
      const kind = module.program?.protocol ?? "module";
      if (quiet && kind === "json-rpc") return { name: module.name, kind, ...known([]) };
      const ask = asker(core, module.name, options);
      return { name: module.name, kind, ...await commandsOf(kind, ask).catch(unknown) };
    }),
    ...imports,
  ]);
}

function asker(core: BrokerCore, name: string, { now, signal }: DescribeOptions): Ask {
  const until = now() + TIMEOUT_MS;
  return (command, params = []) =>
    core.call(name, command, params, { timeoutMs: Math.max(1, Math.ceil(until - now())), retry: "never", signal });
}

function known(commands: readonly CommandDescription[]): Known {
  return { commands, error: null, code: null };
}

function unknown(error: unknown): Known {
  return { commands: [], error: messageOf(error), code: error instanceof BrokerError ? error.code : null };
}

function importsOf(core: BrokerCore, name: string | undefined): readonly string[] {
  const all = core.plan.cluster?.settings.imports ?? [];
  return name === undefined ? all : all.includes(name.split("@")[0] ?? "") ? [name] : [];
}

/** A module of others, which may let only some of its commands be called, and then not the one that describes them. */
async function describeImport(core: BrokerCore, name: string, options: DescribeOptions): Promise<ModuleDescription> {
  const [module = "", node = null] = name.split("@");
  const described = { name, kind: "module" } as const;
  try {
    if (options.quiet) throw new Error("it was not asked");
    const answer = await asker(core, name, options)(DISCOVER);
    return { ...described, ...known(listIn(answer, "methods").map(method)) };
  } catch (error) {
    const members = core.clusterStatus()?.members ?? [];
    const names = members.filter((member) => node === null || member.node === node)
      .flatMap(({ exports }) => exports[module]?.commands ?? []);
    const commands = [...new Set(names)].map((name) => method({ name }));
    return { ...described, ...(commands.length === 0 ? unknown(error) : known(commands)) };
  }
}

async function commandsOf(kind: ModuleDescription["kind"], ask: Ask): Promise<Known> {
  if (kind === "none") return known([]);
  if (kind === "mcp") return await toolsOf(ask);
  if (kind === "lsp") return known(capabilities(await ask("initialize")));
  return known(listIn(await ask(DISCOVER), "methods").map(method));
}

/** All pages, or those before a page that does not come or leads back. */
async function toolsOf(ask: Ask): Promise<Known> {
  const tools: CommandDescription[] = [];
  const cursors = new Set<string>();
  let params: readonly unknown[] = [];
  for (;;) {
    try {
      const page = await ask("tools/list", params);
      tools.push(...listIn(page, "tools").map(tool));
      const cursor: unknown = isRecord(page) ? page["nextCursor"] : undefined;
      if (typeof cursor !== "string") return known(tools);
      if (cursors.has(cursor)) throw new Error(`its tools/list repeats the cursor ${JSON.stringify(cursor)}`);
      if (cursors.add(cursor).size === MAX_PAGES) throw new Error(`its tools/list has more than ${MAX_PAGES} pages`);
      params = [{ cursor }];
    } catch (error) {
      return { ...unknown(error), commands: tools };
    }
  }
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
    params: (Array.isArray(params) ? params : []).filter(isRecord).map(param),
    result: isRecord(result) && isRecord(result["schema"]) ? result["schema"] : {},
    stream: given["x-stream"] === true,
  };
}

function param({ name, required, schema, "x-rest": rest }: JsonSchema): ParamDescription {
  const described = { name: String(name), required: required === true, schema: isRecord(schema) ? schema : {} };
  return rest === true ? { ...described, rest } : described;
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
