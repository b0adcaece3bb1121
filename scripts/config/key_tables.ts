/** The tables of docs/configuration.md: the keys of each object of a configuration, from its JSON Schema. */

import { configSchema } from "./json_schema.ts";

/** Cells of one key: name, type, default, what it is. */
export type KeyRow = readonly [key: string, type: string, byDefault: string, description: string];

/** Rows by the object's name: `configuration` is the whole, `module` and `program` what stands under a name in "modules". */
export function keyTables(): Map<string, KeyRow[]> {
  const tables = new Map<string, KeyRow[]>();
  collect("configuration", configSchema(), tables);
  return tables;
}

const HEAD = "| key | type | default | what it is |\n| --- | --- | --- | --- |";

/** The guide's text with each table between `<!-- keys: NAME -->` and `<!-- end -->` written anew. */
export function withTables(text: string): string {
  const tables = keyTables();
  return text.replaceAll(/^(<!-- keys: (\w+) -->\n).*?^(?=<!-- end -->$)/gms, (_, start: string, name: string) => {
    const rows = tables.get(name);
    if (rows === undefined) throw new Error(`Cannot write the table of "${name}": there is no such object`);
    return `${start}\n${HEAD}\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n\n`;
  });
}

function collect(name: string, schema: unknown, tables: Map<string, KeyRow[]>): void {
  const { properties, required } = Object(schema);
  const rows: KeyRow[] = [];
  tables.set(name, rows);
  for (const [key, value] of Object.entries<Record<string, unknown>>(properties)) {
    rows.push([`\`${key}\``, typeOf(value), defaultOf(value, required.includes(key)), textOf(value)]);
    for (const part of [value, ...Array.isArray(value["oneOf"]) ? value["oneOf"] : []]) {
      if (part.properties !== undefined) collect(key, part, tables);
      else if (key === "modules") {
        const { then: program, else: module } = Object(part["additionalProperties"]);
        collect("program", program, tables);
        collect("module", module, tables);
      }
    }
  }
}

function typeOf(schema: Record<string, unknown>): string {
  const { type, enum: choices, oneOf, items, pattern, minimum, exclusiveMinimum, maximum } = schema;
  if (Array.isArray(oneOf)) return oneOf.map(typeOf).join(" or ");
  if (Array.isArray(choices)) return choices.map((choice) => `\`${JSON.stringify(choice)}\``).join(", ");
  if (type === "array") return `list of ${typeOf(Object(items))}s`;
  if (type === "string") return pattern === undefined ? "text" : "name";
  if (type === undefined) return "anything";
  if (type === "boolean") return "`true`, `false`";
  const number = type === "integer" ? "whole number" : type;
  if (maximum !== undefined) return `${number} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${number} of at least ${minimum}`;
  return exclusiveMinimum === undefined ? `${number}` : `${number} above ${exclusiveMinimum}`;
}

function defaultOf({ default: value, description }: Record<string, unknown>, needed: boolean): string {
  const [, otherwise] = String(description).split(DEFAULT);
  if (otherwise !== undefined) return otherwise;
  if (needed) return "must be there";
  return value === undefined ? "see below" : `\`${JSON.stringify(value)}\``;
}

const DEFAULT = ". Default: ";

function textOf({ description }: Record<string, unknown>): string {
  const [text = ""] = String(description).split(DEFAULT);
  return text;
}
