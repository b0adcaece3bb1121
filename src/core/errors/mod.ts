/**
 * What a call can be rejected with. Every class has a stable `code`, its facts as fields, and `reason`: the short text that
 * stands in the operator's line after `because of error:`.
 *
 * @module
 */

export { BrokerError, type Callee, type ErrorCode } from "./broker_error.ts";
export { CallTimeoutError } from "./call_timeout_error.ts";
export { RemoteError } from "./remote_error.ts";
export { UnknownCommandError } from "./unknown_command_error.ts";
export { UnknownModuleError } from "./unknown_module_error.ts";
export { ProcessGoneError } from "./process_gone_error.ts";
export { CallCancelledError } from "./call_cancelled_error.ts";
export { QueueFullError } from "./queue_full_error.ts";
export { overLimit, PayloadError } from "./payload_error.ts";
