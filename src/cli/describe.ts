/** `brokkr describe`: what the modules of a broker can be called with. */

import { isRecord } from "../core/checks.ts";
import type { CommandDescription, ModuleDescription } from "../core/control/describe.ts";
import { escapeText } from "../core/log/escape.ts";
import type { JsonSchema } from "../core/module/discover.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { ExitCode, exitCodeOfCall } from "./exit_codes.ts";
import type { ArgsOf } from "./commands.ts";
import { askBroker, unknownName } from "./connect.ts";
import { hasColors, print } from "./output.ts";
import { bold } from "./colors.ts";

export async function describe(runtime: Runtime, { module, json, broker }: ArgsOf<"describe">): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    const modules = await client.describe(module ?? null).catch((error) => unknownName("describe", error));
    const colors = hasColors("stdout");
    await print(
      json ? `${JSON.stringify({ modules })}\n` : modules.map((one) => descriptionText(one, colors)).join("\n"),
    );
    return outcome(modules);
  });
}

/** Where nothing is known of any of them: why not. */
function outcome(modules: readonly ModuleDescription[]): number {
  const [first] = modules;
  const isUnknown = first !== undefined &&
    modules.every(({ commands, error }) => error !== null && commands.length === 0);
  return isUnknown ? exitCodeOfCall(first.code) : ExitCode.done;
}

const KINDS: Readonly<Record<ModuleDescription["kind"], string>> = {
  module: "",
  "json-rpc": "a JSON-RPC program",
  mcp: "an MCP server; call its tools as tools/call with { name, arguments }",
  lsp: "a language server",
  none: "a daemon or a job, which takes no calls",
};

/** A program may put anything into its names and texts: none of them may forge a line. */
export function descriptionText(
  { name, kind, commands, error }: Omit<ModuleDescription, "code">,
  colors: boolean,
): string {
  const what = KINDS[kind] === "" ? "" : `: ${KINDS[kind]}`;
  const lines = commands.flatMap((command) => [
    `  ${escapeText(signature(command))}`,
    ...(command.about === null ? [] : [`      ${escapeText(command.about.split(/\r?\n/)[0] ?? "")}`]),
  ]);
  if (error !== null) lines.push(`  ${lines.length === 0 ? "unknown" : "incomplete"}: ${escapeText(error)}`);
  else if (lines.length === 0) lines.push("  no commands");
  return [bold(name, colors) + what, ...lines, ""].join("\n");
}

/** `get_report(month: string): { uptime: number }`. */
function signature({ name, params, result, stream }: CommandDescription): string {
  const list = params.map(({ name, required, schema }) => `${name}${required ? "" : "?"}${after(": ", schema)}`);
  return `${name}(${list.join(", ")})${after(": ", result)}${stream ? "  yields items: call it with --stream" : ""}`;
}

/** Nothing where any value will do. */
function after(before: string, schema: JsonSchema): string {
  const text = schemaText(schema);
  return text === "any" ? "" : before + text;
}

/** A JSON Schema in the manner of TypeScript. */
export function schemaText(schema: unknown): string {
  if (!isRecord(schema)) return "any";
  const { type, enum: values, properties, required, items, prefixItems, anyOf, oneOf = anyOf } = schema;
  if ("const" in schema) return JSON.stringify(schema["const"]);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(oneOf)) return oneOf.map(schemaText).join(" | ");
  if (Array.isArray(type)) return type.join(" | ");
  if (Array.isArray(prefixItems)) return `[${prefixItems.map(schemaText).join(", ")}]`;
  if (type === "array") return `${schemaText(items)}[]`.replace(/^(.* \| .*)\[\]$/, "($1)[]");
  if (isRecord(properties)) {
    const isRequired = (key: string) => Array.isArray(required) && required.includes(key);
    const fields = Object.entries(properties).map(([key, value]) =>
      `${key}${isRequired(key) ? "" : "?"}: ${schemaText(value)}`
    );
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  }
  return typeof type === "string" ? type : "any";
}
