/**
 * What a call can be rejected with. Every class has a stable `code`, its facts as fields, and `reason`: the short text that
 * stands in the operator's line after `because of error:`.
 *
 * @module
 */

export { BrokerError, type Callee, type ErrorCode } from "./errors/broker_error.ts";
export { CallTimeoutError } from "./errors/call_timeout_error.ts";
export { RemoteError } from "./errors/remote_error.ts";
export { UnknownCommandError } from "./errors/unknown_command_error.ts";
export { UnknownModuleError } from "./errors/unknown_module_error.ts";
export { ProcessGoneError } from "./errors/process_gone_error.ts";
export { CallCancelledError } from "./errors/call_cancelled_error.ts";
export { QueueFullError } from "./errors/queue_full_error.ts";
export { overLimit, PayloadError } from "./errors/payload_error.ts";
