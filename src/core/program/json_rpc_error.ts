import { type ErrorFields, RpcCode } from "./message.ts";

/** The error that a peer answered a request with. */
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
