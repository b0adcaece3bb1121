import { BrokerError } from "brokkr";

const STATUS = new Map([
  ["TIMEOUT", 504],
  ["GONE", 503],
  ["QUEUE_FULL", 429],
  ["PAYLOAD", 413],
  ["UNKNOWN_MODULE", 404],
  ["UNKNOWN_COMMAND", 404],
  ["CANCELLED", 499],
]);

/** The status of the answer to a request whose call failed. */
export function httpStatus(error) {
  if (!(error instanceof BrokerError)) return 500;
  // What a command threw is the visitor's fault where it says so.
  if (error.code === "REMOTE") return error.remoteName === "RangeError" ? 400 : 500;
  return STATUS.get(error.code) ?? 500;
}
