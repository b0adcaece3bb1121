/** The JSON Schema of brokkr.json, from the tables of its keys. */

import { FILE, MODULE_KEYS, PROGRAM_KEYS } from "./file_keys.ts";
import { NAME_PATTERN, type NumberRow, type Row, type Table } from "../../core/settings/table.ts";

export type Json = Record<string, unknown>;

export function configSchema(): Json {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of a brokkr broker",
    description: "brokkr.json or brokkr.jsonc, for brokkr run",
    allowComments: true,
    allowTrailingCommas: true,
    ...objectOf(FILE),
  };
}

const NAME = { type: "string", pattern: NAME_PATTERN.source };

function objectOf(table: Table): Json {
  const rows = Object.entries(table);
  return {
    type: "object",
    properties: Object.fromEntries(rows.map(([key, row]) => [key, propertyOf(row)])),
    required: rows.filter(([, { needed }]) => needed).map(([key]) => key),
    additionalProperties: false,
  };
}

function propertyOf(row: Row): Json {
  const { about, otherwise } = row;
  const description = otherwise === undefined ? about : `${about}. Default: ${otherwise}`;
  return { ...typeOf(row), description, ...("default" in row ? { default: row.default } : {}) };
}

function typeOf(row: Row): Json {
  switch (row.is) {
    case "number":
      return numberOf(row);
    case "flag":
      return { type: "boolean" };
    case "name":
      return NAME;
    case "text":
      return { type: "string", ...patternOf(row) };
    case "choice":
      return { enum: Object.keys(row.of), type: "string" };
    case "list":
      return { type: "array", items: { type: "string", ...patternOf(row) } };
    case "rights":
      return { oneOf: [{ type: "boolean" }, { type: "array", items: { type: "string", minLength: 1 } }] };
    case "command":
      return { oneOf: [{ type: "string", minLength: 1 }, { type: "array", items: { type: "string" } }] };
    case "env":
      return {
        oneOf: [
          { type: "array", items: { type: "string", minLength: 1 } },
          { type: "object", additionalProperties: { oneOf: [{ type: "string" }, { const: true }] } },
        ],
      };
    case "group": {
      const short = row.short === undefined ? undefined : row.keys[row.short];
      return short === undefined ? objectOf(row.keys) : { oneOf: [typeOf(short), objectOf(row.keys)] };
    }
    case "map":
      return { type: "object", additionalProperties: objectOf(row.keys) };
    case "object":
      if (row === FILE.modules) return modules();
      return { type: "object", additionalProperties: row.each === undefined ? {} : typeOf(row.each) };
    case "anything":
    case "other":
      return {};
  }
}

function patternOf({ pattern, mayBeEmpty }: { readonly pattern?: RegExp; readonly mayBeEmpty?: true }): Json {
  if (pattern !== undefined) return { pattern: pattern.source };
  return mayBeEmpty ? {} : { minLength: 1 };
}

function numberOf({ whole, above, least, most }: NumberRow): Json {
  return {
    type: whole ? "integer" : "number",
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
    ...(least === undefined ? {} : { minimum: least }),
    ...(most === undefined ? {} : { maximum: most }),
  };
}

/** What stands under "modules", whose keys are names. */
function modules(): Json {
  return {
    type: "object",
    propertyNames: NAME,
    additionalProperties: { if: { required: ["command"] }, then: objectOf(PROGRAM_KEYS), else: objectOf(MODULE_KEYS) },
  };
}
