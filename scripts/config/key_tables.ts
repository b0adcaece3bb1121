/** The tables of docs/configuration.md: the keys of each object of a configuration. */

import { FILE, MODULE_KEYS, PROGRAM_KEYS } from "../../src/cli/config/file_keys.ts";
import type { NumberRow, Row, Table } from "../../src/core/settings/table.ts";

/** Cells of one key: name, type, default, what it is. */
export type KeyRow = readonly [key: string, type: string, byDefault: string, description: string];

/** Rows by the object's name: `configuration` is the whole, `module` and `program` what stands under a name in "modules". */
export function keyTables(): Map<string, KeyRow[]> {
  const tables = new Map<string, KeyRow[]>();
  collect("configuration", FILE, tables);
  collect("program", PROGRAM_KEYS, tables);
  collect("module", MODULE_KEYS, tables);
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

function collect(name: string, table: Table, tables: Map<string, KeyRow[]>): void {
  const rows = Object.entries(table);
  tables.set(name, rows.map(([key, row]) => [`\`${key}\``, typeOf(row), defaultOf(row), row.about]));
  for (const [key, row] of rows) if (row.is === "group" || row.is === "map") collect(key, row.keys, tables);
}

function typeOf(row: Row): string {
  switch (row.is) {
    case "number":
      return numberText(row);
    case "flag":
      return "`true`, `false`";
    case "name":
      return "name";
    case "text":
      return "text";
    case "choice":
      return Object.keys(row.of).map((choice) => `\`${JSON.stringify(choice)}\``).join(", ");
    case "list":
      return "list of texts";
    case "command":
      return "text or list of texts";
    case "env":
      return "list of texts or object";
    case "rights":
      return "`true`, `false` or list of texts";
    case "group": {
      const short = row.short === undefined ? undefined : row.keys[row.short];
      return short === undefined ? "object" : `${typeOf(short)} or object`;
    }
    case "map":
    case "object":
      return "object";
    case "anything":
    case "other":
      return "anything";
  }
}

function numberText({ whole, above, least, most }: NumberRow): string {
  const number = whole ? "whole number" : "number";
  if (most !== undefined) return `${number} from ${least} to ${most}`;
  return above === undefined ? `${number} of at least ${least}` : `${number} above ${above}`;
}

function defaultOf(row: Row): string {
  if (row.otherwise !== undefined) return row.otherwise;
  if (row.needed) return "must be there";
  return "default" in row ? `\`${JSON.stringify(row.default)}\`` : "see below";
}
