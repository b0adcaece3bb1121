/**
 * brokkr: a broker for processes. A parent process runs each module and each worker in a process of its own, releases in each new
 * process what belongs to the other modules, and lets them call each other's commands.
 *
 * {@linkcode defineModule} defines a module, {@linkcode Broker.start} runs it, and a failed call rejects with a
 * {@linkcode BrokerError}.
 *
 * @example A module
 * ```ts
 * import { defineModule } from "brokkr";
 *
 * export const hello = defineModule({
 *   name: "hello",
 *   commands: { greet: (name: string) => `Hello ${name}` },
 * });
 * ```
 *
 * @module
 */

export { Broker } from "./src/broker.ts";
export { defineModule, remote } from "./src/core/module/module.ts";
export { defineProgram } from "./src/core/module/program.ts";
export {
  BrokerError,
  CallCancelledError,
  CallTimeoutError,
  PayloadError,
  ProcessGoneError,
  QueueFullError,
  RemoteError,
  UnknownCommandError,
  UnknownModuleError,
} from "./src/core/faults.ts";
export { withSchema } from "./src/core/module/schema.ts";
export { withThread } from "./src/runtime/posix/program.ts";

export type {
  CallCommand,
  CallContext,
  CallOptions,
  CallWorker,
  Commands,
  CommandsOf,
  ErrorClass,
  Handler,
  ItemOf,
  ItemStream,
  MapOptions,
  MapWorkers,
  Module,
  ModuleCommands,
  ModuleContext,
  ModuleDefinition,
  ModuleLog,
  NotificationHandler,
  ParamsOf,
  ProcessRole,
  RequestHandler,
  ResultOf,
  SchemaIssue,
  SchemaResult,
  StandardSchema,
  StreamCommand,
  StreamWorker,
  WorkerCalls,
  WorkerCommandsOf,
  WorkersDefinition,
} from "./src/core/module/definition.ts";
export type { ErrorCode } from "./src/core/faults.ts";
export type { LogFunction } from "./src/core/log/broker_log.ts";
export type { BrokerStatus, ModuleStatus } from "./src/core/broker/status.ts";
export type { StandbyStatus } from "./src/core/child/standby.ts";
export type { ClusterState, ClusterStatus, ImportStatus, MemberStatus } from "./src/core/cluster/cluster.ts";
export type { ExportedModule, MemberState } from "./src/core/cluster/members.ts";
export type {
  ClusterConnection,
  ConnectPubSub,
  PubSub,
  PubSubEvents,
  PubSubMessage,
} from "./src/core/cluster/pub_sub.ts";
export type { EventFields, EventId } from "./src/core/log/events.ts";
export type { LogEvent, LogRecord } from "./src/core/log/events.ts";
export type { LogLevel } from "./src/core/log/prefix.ts";
export type {
  CallCounts,
  CleanupReceipt,
  CleanupStatus,
  Latency,
  ModuleCleanup,
  OpenHandle,
  Outcome,
  ProcessState,
  ProcessStatus,
  ResourceUsage,
  StrayAnswer,
} from "./src/core/wire/status.ts";
export type { RemoteModule } from "./src/core/module/module.ts";
export type { AnyModule, ProgramCommands, ProgramDefinition } from "./src/core/module/program.ts";
export type { TimeSource } from "./src/core/child/in_process.ts";
export type { BrokerOptions } from "./src/core/broker/options.ts";
export type { SchemaInput, SchemaOutput } from "./src/core/module/schema.ts";
export type {
  BrokerSettings,
  CallSettings,
  ClusterAuthSettings,
  ClusterSettings,
  ClusterTlsSettings,
  Descendants,
  EnvSettings,
  Framing,
  HeartbeatSettings,
  MemorySettings,
  ModuleCallSettings,
  ModuleSettings,
  OutputSettings,
  PermissionKind,
  PermissionSettings,
  ProcessSettings,
  ProgramSettings,
  ProtocolName,
  ReadySettings,
  RestartPolicy,
  RestartSettings,
  SupervisionSettings,
} from "./src/core/settings/settings.ts";
export type { MemoryUsage } from "./src/runtime/runtime.ts";
