import type { JsonRpcError } from "./json_rpc_error.ts";
import { isRecord } from "../is_record.ts";

/**
 * A program's error answer as it goes to callers, who get a `RemoteError` whose `data` is `{ code, data }`. Where the program's own
 * data has a `name`, and a `stack` or `traceback`, they become `remoteName` and `remoteStack`.
 */
export class ProgramFailure extends Error {
  override readonly name: string;
  readonly data: { readonly code: number; readonly data?: unknown };

  constructor({ code, message, data, name }: JsonRpcError) {
    super(message);
    const fields = isRecord(data) ? data : {};
    this.name = text(fields["name"]) || name;
    this.stack = text(fields["stack"]) || text(fields["traceback"]);
    this.data = data === undefined ? { code } : { code, data };
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
