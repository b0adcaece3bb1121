/**
 * What commands a module has, in the form of OpenRPC, as the command `rpc.discover` answers it.
 *
 * @see https://spec.open-rpc.org
 */

import { attempt } from "../checks.ts";
import { VERSION } from "../version.ts";
import type { Handler, StandardSchema } from "./definition.ts";
import { schemasOf } from "./schema.ts";

/** A JSON Schema; `{}` is any value. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ParamObject {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
  /** Whether it stands for any number of parameters from its place on. */
  readonly "x-rest"?: true;
}

export interface MethodObject {
  readonly name: string;
  readonly params: readonly ParamObject[];
  readonly result: { readonly name: string; readonly schema: JsonSchema };
  /** Whether it yields its result, item by item; `result` is that of one item. */
  readonly "x-stream": boolean;
}

export interface OpenRpc {
  readonly openrpc: "1.3.2";
  readonly info: { readonly title: string; readonly version: string };
  readonly methods: readonly MethodObject[];
}

export function discover(module: string, commands: ReadonlyMap<string, Handler>): OpenRpc {
  const methods = [...commands].map(([name, handler]) => methodOf(name, handler));
  return { openrpc: "1.3.2", info: { title: module, version: VERSION }, methods };
}

function methodOf(name: string, command: Handler): MethodObject {
  const { params, result, handler = command } = schemasOf(command) ?? {};
  const schemas = itemSchemas(jsonSchema(params, "input"));
  const names = parameterNames(handler);
  const length = Math.max(names.length, schemas.length);
  return {
    name,
    params: Array.from({ length }, (_, index) => {
      const { name = `param${index + 1}`, required = true, isRest = false } = names[index] ?? {};
      return { name, required, schema: schemas[index] ?? {}, ...(isRest ? { "x-rest": isRest } : {}) };
    }),
    result: { name: "result", schema: jsonSchema(result, "output") },
    "x-stream": /Generator/.test(Object.prototype.toString.call(handler)),
  };
}

/** Not every library can give one. */
function jsonSchema(schema: StandardSchema | undefined, side: "input" | "output"): JsonSchema {
  return attempt(() => schema?.["~standard"].jsonSchema?.[side]({ target: "draft-2020-12" })) ?? {};
}

function itemSchemas({ prefixItems, items }: JsonSchema): JsonSchema[] {
  const places: unknown = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
  return Array.isArray(places) ? places.filter((place) => typeof place === "object" && place !== null) : [];
}

interface Parameter {
  readonly name: string | undefined;
  readonly required: boolean;
  readonly isRest: boolean;
}

/** As they stand in the function's text, which has no types at run time. */
function parameterNames(handler: Handler): Parameter[] {
  const text = Function.prototype.toString.call(handler).replace(/\/\*.*?\*\/|\/\/.*$/gms, "");
  const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(text);
  const list = single?.[1] ?? inBrackets(text);
  return splitList(list).map((parameter) => {
    const [, rest, name] = /^(\.\.\.)?([\w$]+)/.exec(parameter) ?? [];
    const isRest = rest !== undefined;
    return { name, required: !isRest && !parameter.includes("="), isRest };
  });
}

/** What is between the first bracket and the one that closes it. */
function inBrackets(text: string): string {
  const from = text.indexOf("(") + 1;
  let depth = 1;
  for (let at = from; from > 0 && at < text.length; at++) {
    depth += depthOf(text[at]);
    if (depth === 0) return text.slice(from, at);
  }
  return "";
}

/** Splits at commas that are in no brackets. */
function splitList(list: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of list) {
    depth += depthOf(character);
    if (character === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function depthOf(character: string | undefined): number {
  if (character === undefined) return 0;
  return "([{".includes(character) ? 1 : ")]}".includes(character) ? -1 : 0;
}
