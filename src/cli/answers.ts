/** What a command prints of the answer of a broker. Both ways of the command line load it, so it loads little. */

import type { BrokerStatus } from "../core/broker/status.ts";
import { isRecord } from "../core/checks.ts";
import type { CommandDescription, ModuleDescription } from "../core/control/describe.ts";
import type { MeasuredResult } from "../core/control/protocol.ts";
import { escapeText } from "../core/log/escape.ts";
import type { JsonSchema } from "../core/module/discover.ts";
import type { ProcessState } from "../core/wire/status.ts";
import { bold } from "./terminal.ts";
import { type ProcessRow, processRows } from "./status_rows.ts";

/** Parsed as JSON if possible, else the text itself. */
export function readParam(param: string): unknown {
  try {
    return JSON.parse(param);
  } catch {
    return param;
  }
}

/** What is printed of a result: a text as it is, else JSON; null where there is nothing. */
export function resultText({ value, attempts, ms }: MeasuredResult, json: boolean): string | null {
  if (json) return toJson({ ok: true, result: value ?? null, attempts, ms });
  if (value === undefined) return null;
  return typeof value === "string" ? value : toJson(value, 2);
}

/**
 * JSON has no bytes: they become base64. A bigint becomes its digits, which JSON allows any number of; NaN and infinities become
 * texts, because null would hide them.
 */
export function toJson(value: unknown, indent?: number): string {
  let mark: string | undefined;
  const form = (_key: string, part: unknown): unknown => {
    if (typeof part === "number" && !Number.isFinite(part)) return String(part);
    if (typeof part === "bigint") return `${mark ??= crypto.randomUUID()}${part}`;
    return part instanceof Uint8Array ? base64(part) : part;
  };
  const text = JSON.stringify(value, form, indent);
  // No runtime of these writes a bigint as a number: JSON.rawJSON is missing in Node 20. No text holds the mark but these.
  return mark === undefined ? text : text.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

const KINDS: Readonly<Record<ModuleDescription["kind"], string>> = {
  module: "",
  "json-rpc": "a JSON-RPC program",
  mcp: "an MCP server; call its tools as tools/call with { name, arguments }",
  lsp: "a language server",
  none: "a daemon or a job, which takes no calls",
};

/** What modules can be called with. */
export function descriptionsText(
  modules: readonly ModuleDescription[],
  { json, colors }: { readonly json: boolean; readonly colors: boolean },
): string {
  if (json) return `${JSON.stringify({ modules })}\n`;
  return modules.map((one) => descriptionText(one, colors)).join("\n");
}

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
  const list = params.map(({ name, required, schema, rest }) =>
    `${rest === true ? `...${name}` : required ? name : `${name}?`}${after(": ", schema)}`
  );
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

/** What is told of processes that were changed; without a name, of all. */
export const DONE = {
  restart: ([name = "Every module"]) => `${name} was restarted\n`,
  reload: ([name = "Every module"]) => `${name} was reloaded\n`,
  stop: ([name = "The broker"]) => `${name} has stopped\n`,
  scale: ([name, count]) => `${name} has ${count} ${Number(count) === 1 ? "worker" : "workers"}\n`,
} satisfies Readonly<Record<string, (operands: readonly string[]) => string>>;

/** States of a process whose last start did not succeed. */
const NOT_STARTED: readonly ProcessState[] = ["failed", "backoff", "starting", "cleaning"];

/** The processes that `action` meant, and that did not start. */
export function notStarted(
  status: BrokerStatus,
  action: "restart" | "reload" | "scale",
  name: string | undefined,
): ProcessRow[] {
  const meant = processRows(status).filter(({ status, module }) =>
    action === "scale" ? module === name : name === undefined || status.name === name
  );
  return meant.filter(({ status }) => NOT_STARTED.includes(status.state));
}
