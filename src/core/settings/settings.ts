/**
 * The settings of modules and brokers, each a row: what may stand there, its default, and what it is. The checks of `defineModule` and
 * `Broker.start`, brokkr.json, its JSON Schema and the tables of docs/configuration.md are made of these tables.
 */

import { isRecord } from "../checks.ts";
import { type Filled, filled, type RightsRow, type Rows } from "./table.ts";

/** When a process that ended is restarted. */
export type RestartPolicy = "always" | "on-failure" | "never";

/** How a process that ended is restarted. */
export interface RestartSettings {
  /** `on-failure` restarts after an exit code other than 0 or a signal, `always` after a clean exit too. @default "on-failure" */
  readonly policy?: RestartPolicy;
  /** Milliseconds before the second restart in a row; the first is immediate. @default 100 */
  readonly delayMs?: number;
  /** Factor by which the delay grows from one restart in a row to the next. @default 2 */
  readonly factor?: number;
  /** Longest delay in milliseconds. @default 30000 */
  readonly maxDelayMs?: number;
  /** Fraction of the delay, from 0 to 1, that is added or subtracted at random. @default 0.1 */
  readonly jitter?: number;
  /** Milliseconds in state `ready` after which the next restart is immediate again. @default 10000 */
  readonly minUptimeMs?: number;
  /** Restarts within `windowMs` after which the next exit makes the process `failed`. @default 5 */
  readonly maxRestarts?: number;
  /** Milliseconds over which restarts are counted. @default 60000 */
  readonly windowMs?: number;
  /** What the broker does when the module has failed: continue, or drain all modules and end. @default "ignore" */
  readonly escalate?: "ignore" | "stop-broker";
}

/** When a process counts as blocked, and what brokkr does about it. */
export interface HeartbeatSettings {
  /** Milliseconds of silence after which brokkr sends the process a heartbeat; at most half of `timeoutMs`. @default 5000 */
  readonly intervalMs?: number;
  /** Milliseconds of silence after which the process counts as blocked. @default 15000 */
  readonly timeoutMs?: number;
  /** What happens then: `report` only logs it, `restart` kills the process, and its restart policy decides. @default "report" */
  readonly onBlocked?: "report" | "restart";
}

/** Memory limits of each process: private memory, or PSS or RSS if the system does not report it. */
export interface MemorySettings {
  /** Bytes above which brokkr logs a warning, once until the memory falls below them again. @default no limit */
  readonly warnBytes?: number;
  /** Bytes above which brokkr replaces the process as in a reload; running calls finish first. @default no limit */
  readonly recycleBytes?: number;
  /** Milliseconds between two checks. @default 30000 */
  readonly checkMs?: number;
}

/** How a module's processes are supervised. */
export interface SupervisionSettings {
  /** When and how a process that ended is restarted; a string is the `policy`. @default "on-failure" */
  readonly restart?: RestartPolicy | RestartSettings;
  /** Milliseconds from the creation of a process to its `Broker.start`, and again for the module's `start` hook. @default 10000 */
  readonly startTimeoutMs?: number;
  /** Milliseconds to finish running calls and the `stop` hook before SIGTERM. A worker has three fifths of it. @default 5000 */
  readonly drainMs?: number;
  /** Milliseconds from SIGTERM to SIGKILL. A worker has a fifth of `drainMs` if that is less. @default 2000 */
  readonly killMs?: number;
  /** Names of modules that must be ready before this one starts, and that stop after it. @default none */
  readonly after?: readonly string[];
  /** When a process counts as blocked, and what brokkr does about it. */
  readonly heartbeat?: HeartbeatSettings;
  /** Memory limits of each process. @default none */
  readonly memory?: MemorySettings;
}

/** What happens to the processes that a module started when the module's own process ends. */
export type Descendants = "kill" | "keep";

/** How much of what a process prints is logged, for each of its two streams and for `ctx.log`. */
export interface OutputSettings {
  /** Lines per second; further ones are dropped and counted. @default 500 */
  readonly maxLinesPerSecond?: number;
  /** Bytes of a line; a longer one is truncated, with a mark. @default 8192 */
  readonly maxLineBytes?: number;
}

/** A kind of permission, as Deno has them. */
export type PermissionKind = "net" | "read" | "write" | "env" | "run" | "ffi" | "sys" | "import";

/**
 * What a module's process may do beyond what brokkr itself needs: `true` allows all of a kind, a list only what it names, as in Deno's
 * `--allow-...` flags; an omitted kind is denied. Paths are relative to the configuration's folder, in `defineModule` to the process's
 * working directory.
 */
export type PermissionSettings = { readonly [K in PermissionKind]?: readonly string[] | boolean };

/** Settings of a module's processes. */
export interface ProcessSettings {
  /** Whether processes that the module started end with it; `keep` is for those meant to outlive it. @default "kill" */
  readonly descendants?: Descendants;
  /** How much of the output of each of the module's processes is logged. */
  readonly output?: OutputSettings;
  /**
   * Runtime flags for the module's processes, such as Node's `--max-old-space-size=512`; they follow the broker's own. Refused in a
   * compiled binary. @default none
   */
  readonly runtimeArgs?: readonly string[];
  /**
   * What the module's process may do; everything else is denied. For Deno, and modules without workers; otherwise the start is refused.
   * @default what the broker may do
   */
  readonly permissions?: PermissionSettings;
}

/** Environment variables: names, or values by name. */
export type EnvSettings = readonly string[] | Readonly<Record<string, string | true>>;

/** Defaults for calls that do not set these options themselves. */
export interface CallSettings {
  /** Milliseconds for one attempt. @default the module's, the broker's `call.timeoutMs`, else 1000 */
  readonly timeoutMs?: number;
  /** Whether a second attempt follows the first timeout. @default the module's, the broker's `call.retry`, else "once" */
  readonly retry?: "once" | "never";
}

/** Defaults for calls of one module. */
export interface ModuleCallSettings extends CallSettings {
  /** The same for single commands, by name. @default none */
  readonly calls?: Readonly<Record<string, CallSettings>>;
}

/** Settings of a module in `defineModule`, which `Broker.start({ settings })` or the configuration override. */
export interface ModuleSettings extends SupervisionSettings, ProcessSettings, ModuleCallSettings {
  /** How many calls one process of the module runs at the same time. @default no limit */
  readonly concurrency?: number;
  /** How many calls may wait for one process of the module; further ones reject. @default 20000 */
  readonly queue?: number;
  /** The module's own options, plain JSON: `ctx.options`. @default null */
  readonly options?: unknown;
  /** Working directory of the module's processes. @default the program's */
  readonly cwd?: string;
  /**
   * Environment variables of this module's processes. A list names variables that only they keep. In an object a string sets a value for
   * them, and `true` keeps the broker's own value for them only. @default the broker's, without those that other modules name
   */
  readonly env?: EnvSettings;
}

/**
 * The protocol of a program in another language: JSON-RPC 2.0, the Model Context Protocol, the Language Server Protocol, or none for a
 * daemon or a job, which takes no calls.
 */
export type ProtocolName = "json-rpc" | "mcp" | "lsp" | "none";

/** When a program with protocol `none` is ready: as soon as it answers at one of these. */
export interface ReadySettings {
  /** `HOST:PORT` that accepts connections. */
  readonly tcp?: string;
  /** URL that answers a GET with a status below 400. */
  readonly http?: string;
}

/** `newline`: one message per line. `content-length`: a header before each message. */
export type Framing = "newline" | "content-length";

/** A program in another language, and its settings as a module. */
export interface ProgramSettings extends Omit<ModuleSettings, "options" | "permissions" | "runtimeArgs"> {
  /** The executable and its arguments, or the executable alone. brokkr runs it without a shell. */
  readonly command: readonly string[] | string;
  /** The arguments, if `command` is the executable alone. @default none */
  readonly args?: readonly string[];
  /** Milliseconds from the start of the program to the end of its `initialize` exchange, or until it is `ready`. @default 60000 */
  readonly startTimeoutMs?: number;
  /** Milliseconds for one attempt of a call. @default the broker's `call.timeoutMs`, else 1000, and 60000 with `mcp` and `lsp` */
  readonly timeoutMs?: number;
  /** Whether a second attempt follows the first timeout. @default "never" */
  readonly retry?: "once" | "never";
  /** The protocol on its standard input and output. @default "json-rpc" */
  readonly protocol?: ProtocolName;
  /** How messages are separated, with protocol `json-rpc`. @default "newline" */
  readonly framing?: Framing;
  /** Parameters of the `initialize` request, with protocols `mcp` and `lsp`: each key overrides brokkr's own. @default {} */
  readonly initialize?: Readonly<Record<string, unknown>>;
  /** When it counts as ready, with protocol `none`. @default as soon as it runs */
  readonly ready?: ReadySettings;
}

/** How the broker authenticates to the cluster's server. Settings never contain a secret, only where to find it. */
export interface ClusterAuthSettings {
  /** Path of a credentials file, with a JWT and its seed. */
  readonly creds?: string;
  /** Path of a file with an nkey's seed. */
  readonly nkey?: string;
  /** Environment variable that holds the user's name; with `passwordEnv`. */
  readonly userEnv?: string;
  /** Environment variable that holds the password. */
  readonly passwordEnv?: string;
  /** Environment variable that holds a token. */
  readonly tokenEnv?: string;
}

/** TLS to the server of a cluster. */
export interface ClusterTlsSettings {
  /** Path of the CA certificates for the server's certificate, as PEM. @default those of the runtime */
  readonly ca?: string;
  /** Path of the broker's own certificate, as PEM; with `key`. */
  readonly cert?: string;
  /** Path of the private key for `cert`, as PEM. */
  readonly key?: string;
}

/** A cluster: brokers on several machines that call each other's modules. */
export interface ClusterSettings {
  /** Addresses of the servers, such as `tls://nats-1:4222`; the broker connects to one of them at a time. */
  readonly servers: readonly string[];
  /** Name of the cluster, `[A-Za-z0-9._-]{1,64}`; brokers of different clusters do not see each other. */
  readonly name: string;
  /** Name of this machine, as in `M@NODE`. @default the host's name */
  readonly node?: string;
  /** Modules of this broker that other brokers may call: `true`, or a list of their commands. @default none */
  readonly exports?: Readonly<Record<string, boolean | readonly string[]>>;
  /** Modules of other brokers that this broker calls. @default none */
  readonly imports?: readonly string[];
  /** How the broker authenticates to the server. @default not at all */
  readonly auth?: ClusterAuthSettings;
  /** Files for TLS, which is used if an address begins with `tls://`, a file is given here, or the server requires it. @default none */
  readonly tls?: ClusterTlsSettings;
  /** Milliseconds after which a member without a connection to any server counts as gone. @default 2000 */
  readonly lostAfterMs?: number;
}

/** Settings of a broker in `Broker.start` or in a configuration. */
export interface BrokerSettings {
  /** Name of the broker, `[A-Za-z0-9._-]{1,64}`, in the log lines and for `--broker`. */
  readonly name: string;
  /** Defaults for all calls. */
  readonly call?: CallSettings;
  /**
   * How many processes start at the same time, including workers, restarts and reloads; the others wait.
   * @default the number of processors, at least 2
   */
  readonly startConcurrency?: number;
  /**
   * How many processes brokkr keeps ready for the next starts: they have loaded the runtime, the library and, in a program, everything
   * before `Broker.start`. @default 0
   */
  readonly standby?: number;
  /** The lowest level that is logged. @default the environment variable `BROKKR_LOG`, else "info" */
  readonly logLevel?: "debug" | "info" | "warning" | "error" | "fatal";
  /** Pads levels and names of the log lines into columns. @default false */
  readonly aligned?: boolean;
  /** Name of the product in the cleanup's lines. @default "Shinken" */
  readonly product?: string;
  /**
   * Whether the start kills processes that an earlier, killed broker of this name left behind. The broker keeps a small file in its private
   * folder for this. @default true
   */
  readonly sweep?: boolean;
}

/** A time above 0. */
function time(byDefault: number, about: string) {
  return { is: "number", unit: "milliseconds", above: 0, default: byDefault, about } as const;
}

/** A time that may be none. */
function pause(byDefault: number, about: string) {
  return { is: "number", unit: "milliseconds", least: 0, default: byDefault, about } as const;
}

function count(least: number, byDefault: number, about: string) {
  return { is: "number", whole: true, least, default: byDefault, about } as const;
}

/** A whole number from 1 on, of which there is as many as wanted where none is given. */
function most(otherwise: string, about: string) {
  return { is: "number", whole: true, least: 1, otherwise, about } as const;
}

function bytes(about: string) {
  return { is: "number", unit: "bytes", above: 0, otherwise: "no limit", about } as const;
}

function number(range: { readonly least: number; readonly most?: number }, byDefault: number, about: string) {
  return { is: "number", ...range, default: byDefault, about } as const;
}

function flag(byDefault: boolean, about: string) {
  return { is: "flag", default: byDefault, about } as const;
}

function choice<T extends string>(of: Readonly<Record<T, true>>, byDefault: NoInfer<T>, about: string) {
  return { is: "choice", of, default: byDefault, about } as const;
}

function path(about: string, otherwise = "none") {
  return { is: "text", what: "a path", otherwise, about } as const;
}

function variable(about: string) {
  return { is: "text", what: "the name of an environment variable", otherwise: "none", about } as const;
}

function modules(otherwise: string, about: string) {
  return { is: "list", of: "names of modules", each: "the name of a module", otherwise, about } as const;
}

function right(of: string, about: string): RightsRow {
  return { is: "rights", of, otherwise: "denied", about };
}

const CALL = {
  timeoutMs: time(1_000, "Milliseconds for one attempt of a call"),
  retry: choice({ once: true, never: true }, "once", "Whether a second attempt follows the first timeout"),
} satisfies Rows<CallSettings>;

const { default: _timeoutMs, ...TIMEOUT } = CALL.timeoutMs;
const { default: _retry, ...RETRY } = CALL.retry;

/** The rows of a module, or of one of its commands, whose default stands elsewhere. */
function callRows(timeoutMs: string, retry: string) {
  return { timeoutMs: { ...TIMEOUT, otherwise: timeoutMs }, retry: { ...RETRY, otherwise: retry } };
}

const RESTART = {
  policy: choice(
    { always: true, "on-failure": true, never: true },
    "on-failure",
    "on-failure restarts after an exit code other than 0 or a signal, always after a clean exit too",
  ),
  delayMs: {
    ...pause(100, "Milliseconds before the second restart in a row; the first is immediate"),
    upTo: "maxDelayMs",
  },
  factor: number({ least: 1 }, 2, "Factor by which the delay grows from one restart in a row to the next"),
  maxDelayMs: pause(30_000, "Longest delay in milliseconds"),
  jitter: number(
    { least: 0, most: 1 },
    0.1,
    "Fraction of the delay, from 0 to 1, that is added or subtracted at random",
  ),
  minUptimeMs: pause(
    10_000,
    "Milliseconds in state ready after which the next restart is immediate again",
  ),
  maxRestarts: count(0, 5, "Restarts within windowMs after which the next exit is final"),
  windowMs: time(60_000, "Milliseconds over which restarts are counted"),
  escalate: choice(
    { ignore: true, "stop-broker": true },
    "ignore",
    "What the broker does when the module has failed: continue, or drain all modules and exit with code 1",
  ),
} satisfies Rows<RestartSettings>;

const HEARTBEAT = {
  intervalMs: {
    ...time(
      5_000,
      "Milliseconds of silence after which brokkr sends the process a heartbeat; at most half of timeoutMs",
    ),
    upTo: "timeoutMs",
    adapts: true,
  },
  timeoutMs: time(15_000, "Milliseconds of silence after which the process counts as blocked"),
  onBlocked: choice(
    { report: true, restart: true },
    "report",
    "What happens then: report only logs it, restart kills the process, and its restart policy decides",
  ),
} satisfies Rows<HeartbeatSettings>;

const MEMORY = {
  warnBytes: {
    ...bytes("Bytes above which brokkr logs a warning, once until the memory falls below them again"),
    upTo: "recycleBytes",
  },
  recycleBytes: bytes("Bytes above which brokkr replaces the process as in a reload; running calls finish first"),
  checkMs: time(30_000, "Milliseconds between two checks"),
} satisfies Rows<MemorySettings>;

/** What its parent's process and its own know of it alike: {@linkcode SupervisionPlan}. */
const SUPERVISION = {
  restart: {
    is: "group",
    keys: RESTART,
    short: "policy",
    default: "on-failure",
    about: "When and how a process that ended is restarted; a text is the policy",
  },
  startTimeoutMs: time(
    10_000,
    "Milliseconds from the creation of a process to its Broker.start, and again for the module's start hook",
  ),
  drainMs: time(5_000, "Milliseconds to finish running calls and the stop hook before SIGTERM"),
  killMs: time(2_000, "Milliseconds from SIGTERM to SIGKILL"),
  heartbeat: {
    is: "group",
    keys: HEARTBEAT,
    about: "When a process counts as blocked, and what brokkr does about it",
  },
  memory: { is: "group", keys: MEMORY, about: "Limits of the private memory of each process" },
} satisfies Rows<Omit<SupervisionSettings, "after">>;

const OUTPUT = {
  maxLinesPerSecond: count(
    1,
    500,
    "Lines per second of each stream, and of ctx.log; further ones are dropped and counted",
  ),
  maxLineBytes: { ...count(1, 8_192, "Bytes of a line; a longer one is truncated"), unit: "bytes" },
} satisfies Rows<OutputSettings>;

const PERMISSIONS = {
  net: right("host", "Hosts that it may connect to or listen on: a name, with a port as in localhost:8080"),
  read: right("path", "Files and folders that it may read, relative to the configuration's folder"),
  write: right("path", "Files and folders that it may write, relative to the configuration's folder"),
  env: right("variable", "Environment variables that it may read and set"),
  run: right("program", "Programs that it may run: each can do everything that the user can"),
  ffi: right("path", "Libraries that it may load, relative to the configuration's folder: native code can do anything"),
  sys: right("name", "Facts of the system that it may read, such as hostname"),
  import: right("host", "Hosts that it may import code from, such as jsr.io"),
} satisfies Rows<PermissionSettings>;

/** What a module may say of itself in `defineModule`, in `Broker.start({ settings })` and in a configuration. */
export const MODULE = {
  ...SUPERVISION,
  after: modules("none", "Modules that must be ready before this one starts, and that stop after it"),
  env: {
    is: "env",
    otherwise: "none",
    about:
      "Environment variables: a list names those that only this module's processes keep; in an object a text sets a value for them, and true keeps the broker's own",
  },
  concurrency: most("no limit", "How many calls one process of the module runs at the same time"),
  queue: count(0, 20_000, "How many calls may wait for one process of the module; further ones reject"),
  descendants: choice({ kill: true, keep: true }, "kill", "Whether processes that the module started end with it"),
  output: {
    is: "group",
    keys: OUTPUT,
    about: "How much of the standard output and standard error of each process is logged",
  },
  runtimeArgs: {
    is: "list",
    of: "flags of the runtime",
    each: 'a flag such as "--max-old-space-size=512", with its value behind an equals sign',
    pattern: /^-./,
    otherwise: "none",
    about: "Runtime flags for the module's processes, after the broker's own",
  },
  permissions: {
    is: "group",
    keys: PERMISSIONS,
    otherwise: "what the broker may do",
    about: "What the module's process may do, in Deno and without workers; everything else is denied",
  },
  ...callRows("call.timeoutMs", "call.retry"),
  calls: {
    is: "map",
    of: "commands",
    keys: callRows("the module's", "the module's"),
    otherwise: "none",
    about: "Timeout and retry of single commands, by name",
  },
  options: { is: "anything", otherwise: "null", about: "The module's own options: ctx.options" },
  cwd: path("Working directory of the module's processes, relative to the configuration's folder", "the broker's"),
} satisfies Rows<ModuleSettings>;

const { options: _options, permissions: _permissions, runtimeArgs: _runtimeArgs, ...OF_PROGRAMS } = MODULE;

/** How long a tool of a server or a request of a language server may take, which often asks a service elsewhere. */
export const SLOW_TIMEOUT_MS = 60_000;

/** An IPv6 address stands in brackets. */
const HOST = String.raw`(?:\[[\da-fA-F:.]+\]|[^\s:/?#@\[\]]+)`;
/** From 1 to 65535: a runtime throws where it is asked to connect to another one. */
const PORT = String.raw`(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])`;

/** What a program in another language may say of itself in `defineProgram` and in a configuration. */
export const PROGRAM = {
  command: {
    is: "command",
    needed: true,
    about:
      "The executable, on PATH or in the configuration's folder, and its arguments, or the executable alone; brokkr runs it without a shell",
  },
  args: {
    is: "list",
    of: "texts",
    each: "a text without NUL",
    mayBeEmpty: true,
    otherwise: "none",
    about: "The arguments, if command is the executable alone",
  },
  protocol: choice(
    { "json-rpc": true, mcp: true, lsp: true, none: true },
    "json-rpc",
    "The protocol on the program's standard input and output; none for a daemon or a job, which takes no calls",
  ),
  framing: choice(
    { newline: true, "content-length": true },
    "newline",
    "How messages are separated, with protocol json-rpc",
  ),
  initialize: {
    is: "object",
    what: "an object",
    otherwise: "none",
    about: "Parameters of the initialize request, with protocol mcp or lsp: each key overrides brokkr's own",
  },
  ready: {
    is: "group",
    keys: {
      tcp: {
        is: "text",
        what: 'a host and a port such as "127.0.0.1:5432"',
        pattern: new RegExp(`^${HOST}:${PORT}$`),
        otherwise: "none",
        about: "Host and port that accept connections as soon as it is ready",
      },
      http: {
        is: "text",
        what: 'a URL such as "http://127.0.0.1:8080/health"',
        pattern: new RegExp(`^https?://(?:[^\\s/?#@]*@)?${HOST}(?::${PORT})?(?:[/?#]\\S*)?$`),
        otherwise: "none",
        about: "URL that answers a GET with a status below 400 as soon as it is ready",
      },
    },
    otherwise: "as soon as it runs",
    about: "When it counts as ready, with protocol none",
  },
  ...OF_PROGRAMS,
  ...callRows("call.timeoutMs, else 1000, and 60000 with mcp and lsp", "never"),
  // It may have to be downloaded first, as with `npx -y`.
  startTimeoutMs: {
    ...MODULE.startTimeoutMs,
    default: 60_000,
    about: "Milliseconds from the start of the program to the end of its initialize exchange, or until it is ready",
  },
} satisfies Rows<ProgramSettings>;

const CLUSTER_AUTH = {
  creds: path("Path of a credentials file, with a JWT and its seed"),
  nkey: path("Path of a file with an nkey's seed"),
  userEnv: variable("Environment variable that holds the user's name; with passwordEnv"),
  passwordEnv: variable("Environment variable that holds the password"),
  tokenEnv: variable("Environment variable that holds a token"),
} satisfies Rows<ClusterAuthSettings>;

const CLUSTER_TLS = {
  ca: path("Path of the CA certificates for the server's certificate, as PEM", "those of the runtime"),
  cert: path("Path of the broker's own certificate, as PEM; with key"),
  key: path("Path of the private key for cert, as PEM"),
} satisfies Rows<ClusterTlsSettings>;

export const CLUSTER = {
  servers: {
    is: "list",
    of: "addresses",
    each: "an address such as nats://HOST:4222",
    needed: true,
    about: "Addresses of the servers, such as tls://nats-1:4222; the broker connects to one of them at a time",
  },
  name: { is: "name", needed: true, about: "Name of the cluster; brokers of different clusters do not see each other" },
  node: { is: "name", otherwise: "the host's name", about: "Name of this machine, as in M@NODE" },
  exports: {
    is: "object",
    what: "an object of modules by name",
    each: { is: "rights", of: "command", about: "Its commands" },
    otherwise: "nothing",
    about: "Modules of this broker that other brokers may call: true, or a list of their commands",
  },
  imports: modules("nothing", "Modules of other brokers that this broker calls"),
  auth: {
    is: "group",
    keys: CLUSTER_AUTH,
    about: "How the broker authenticates to the server: where to find the secret, never the secret itself",
  },
  tls: {
    is: "group",
    keys: CLUSTER_TLS,
    about:
      "Files for TLS, which is used if an address begins with tls://, a file is given here, or the server requires it",
  },
  lostAfterMs: time(2_000, "Milliseconds after which a member without a connection to any server counts as gone"),
} satisfies Rows<ClusterSettings>;

/** What a program and a configuration say of a broker alike. */
export const BROKER = {
  name: { is: "name", needed: true, about: "Name of the broker, in the log lines and for --broker" },
  call: { is: "group", keys: CALL, about: "Defaults for calls" },
  product: { is: "text", what: "a text", default: "Shinken", about: "Name of the product in the cleanup's lines" },
  startConcurrency: most(
    "the number of processors, at least 2",
    "How many processes start at the same time, including workers, restarts and reloads; the others wait",
  ),
  standby: count(0, 0, "How many processes brokkr keeps ready for the next starts of modules"),
  sweep: flag(true, "Whether the start kills processes that an earlier, killed broker of this name left behind"),
  logLevel: {
    ...choice(
      { debug: true, info: true, warning: true, error: true, fatal: true },
      "info",
      "The lowest level that is logged",
    ),
    otherwise: "the environment variable BROKKR_LOG, else info",
  },
  aligned: flag(false, "Whether levels and names are padded into columns"),
} satisfies Rows<BrokerSettings>;

/** What holds for the processes of one module. */
export type SupervisionPlan = Filled<Omit<SupervisionSettings, "after">, typeof SUPERVISION>;

export type MemoryPlan = SupervisionPlan["memory"];

/** The settings of a module over the defaults. */
export function supervisionPlan(settings: SupervisionSettings): SupervisionPlan {
  return filled(SUPERVISION, settings);
}

/** Deadlines of a worker: together less than its module has, so that a stuck one does not cost the module its end in good order. */
export function workerPlan(plan: SupervisionPlan): SupervisionPlan {
  return { ...plan, drainMs: plan.drainMs * 0.6, killMs: Math.min(plan.killMs, plan.drainMs * 0.2) };
}

/** Output settings with their defaults. */
export type OutputLimits = Filled<OutputSettings, typeof OUTPUT>;

export function outputLimits(settings: OutputSettings = {}): OutputLimits {
  return filled(OUTPUT, settings);
}

/** The variables whose value in the broker only the processes of the module keep. */
export function claimedEnv(env: EnvSettings | undefined): readonly string[] {
  if (!isRecord(env)) return [...env ?? []];
  return Object.keys(env).filter((name) => env[name] === true);
}

/** Those that another module's claim leaves to the processes of this one. */
export function ownEnv(env: EnvSettings | undefined): readonly string[] {
  return isRecord(env) ? Object.keys(env) : [...env ?? []];
}

/** What a module says of its environment. */
export interface NamedEnv {
  readonly name: string;
  readonly env: EnvSettings | undefined;
}

/** Variables that other modules claim and `name` does not: never handed to a process that loads only the file of `name`. */
export function withheldEnv(name: string, modules: readonly NamedEnv[]): string[] {
  const own = ownEnv(modules.find((module) => module.name === name)?.env);
  const others = modules.filter((module) => module.name !== name).flatMap(({ env }) => claimedEnv(env));
  return others.filter((variable) => !own.includes(variable));
}

/** Those that the settings give a value. */
export function givenEnv(env: EnvSettings | undefined): Readonly<Record<string, string>> {
  if (!isRecord(env)) return {};
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== true));
}
