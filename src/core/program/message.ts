/** Messages of JSON-RPC 2.0 as they come: a peer's text, of which nothing is believed. */

import { jsonText } from "../user_code.ts";
import { attempt, isRecord } from "../checks.ts";

/** Characters of an error that has no message. */
const MAX_SHOWN = 1_000;

/** By position, by name, or absent. */
export type Params = readonly unknown[] | Readonly<Record<string, unknown>> | undefined;

/** A peer's id of its request; `null` in an answer to what it could not read. */
export type MessageId = number | string | null;
export interface ErrorFields {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type Message =
  | { readonly kind: "request"; readonly id: MessageId; readonly method: string; readonly params: Params }
  | { readonly kind: "notification"; readonly method: string; readonly params: Params }
  | { readonly kind: "result"; readonly id: MessageId; readonly result: unknown }
  | { readonly kind: "error"; readonly id: MessageId; readonly error: ErrorFields };

/** The codes of the specification, and that of the Language Server Protocol for a cancelled request. */
export const RpcCode = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  internal: -32603,
  server: -32000,
  cancelled: -32800,
} as const;

/** A program that leaves out a result that is undefined ends its request all the same: the caller learns it at once. */
const NEITHER = 'the answer has neither "result" nor "error"';

/** One message, or undefined where the value is none. */
export function readMessage(value: unknown): Message | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  // Some peers leave "jsonrpc" out; one of another version is not understood.
  if (fields.has("jsonrpc") && fields.get("jsonrpc") !== "2.0") return undefined;
  const method = fields.get("method");
  const id = fields.get("id");
  if (typeof method === "string") {
    const params = fields.get("params") ?? undefined;
    if (!isParams(params)) return undefined;
    if (!fields.has("id")) return { kind: "notification", method, params };
    return isId(id) ? { kind: "request", id, method, params } : undefined;
  }
  if (!isId(id)) return undefined;
  const error = fields.get("error");
  if (error !== undefined && error !== null) return { kind: "error", id, error: readError(error) };
  if (fields.has("result")) return { kind: "result", id, result: fields.get("result") };
  // What a program prints for people may have an id too.
  if (!fields.has("jsonrpc")) return undefined;
  return { kind: "error", id, error: { code: RpcCode.internal, message: NEITHER } };
}

/** The parameters of a call as a message has them: one object by name, several as a list, none left out. */
export function toParams(params: readonly unknown[]): Params {
  const [first] = params;
  if (params.length === 0) return undefined;
  return params.length === 1 && isPlain(first) ? first : params;
}

/** The inverse, for a handler that gets its parameters spread. */
export function fromParams(params: Params): readonly unknown[] {
  if (params === undefined) return [];
  return isList(params) ? params : [params];
}

/** Neither a date nor bytes nor what else JSON does not write as an object with the same keys. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function isList(params: Params): params is readonly unknown[] {
  return Array.isArray(params);
}

function isParams(value: unknown): value is Params {
  return value === undefined || Array.isArray(value) || isRecord(value);
}

function isId(value: unknown): value is MessageId {
  return typeof value === "number" || typeof value === "string" || value === null;
}

/** Some peers answer with a text in place of the error's object, or leave its message out: then all of it is what they say. */
function readError(error: unknown): ErrorFields {
  const fields = new Map<string, unknown>(isRecord(error) ? Object.entries(error) : []);
  const [code, message] = [fields.get("code"), fields.get("message")];
  return {
    code: typeof code === "number" ? code : RpcCode.internal,
    message: typeof message === "string" ? message : typeof error === "string" ? error : shown(error),
    ...(fields.has("data") ? { data: fields.get("data") } : {}),
  };
}

function shown(error: unknown): string {
  // It may be nested too deep.
  return attempt(() => jsonText(error)?.slice(0, MAX_SHOWN)) ?? "";
}

export class JsonRpcError extends Error {
  override readonly name = "JsonRpcError";
  readonly code: number;
  readonly data: unknown;

  constructor({ code, message, data }: ErrorFields) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** What an answer says of something that was thrown: its own `code` and `data` where it has them. Never throws. */
export function errorFields(thrown: unknown): ErrorFields {
  try {
    if (typeof thrown !== "object" || thrown === null) return { code: RpcCode.internal, message: String(thrown) };
    const { code, message, data } = thrown as Partial<Record<"code" | "message" | "data", unknown>>;
    return {
      code: typeof code === "number" && Number.isInteger(code) ? code : RpcCode.internal,
      message: typeof message === "string" ? message : String(thrown),
      ...(data === undefined ? {} : { data }),
    };
  } catch {
    return { code: RpcCode.internal, message: "an error that cannot be read" };
  }
}
