/**
 * What a module may say about how it is supervised, and what holds where it says nothing.
 *
 * @module
 */

/** When a process that ended is started again. */
export type RestartPolicy = "always" | "on-failure" | "never";

/** How a process that ended is started again. */
export interface RestartSettings {
  /** `on-failure` starts again what ended with another exit code than 0 or by a signal. @default "on-failure" */
  readonly policy?: RestartPolicy;
  /** Milliseconds before the second restart in a row; the first one comes at once. @default 100 */
  readonly delayMs?: number;
  /** What the pause is multiplied by from one restart in a row to the next. @default 2 */
  readonly factor?: number;
  /** The longest pause, in milliseconds. @default 30000 */
  readonly maxDelayMs?: number;
  /** Part of the pause by which chance makes it longer or shorter, from 0 to 1. @default 0.1 */
  readonly jitter?: number;
  /** Milliseconds after which a process that is ready has proven itself: its next restart comes at once. @default 10000 */
  readonly minUptimeMs?: number;
  /** Restarts within `windowMs` after which the next end makes the process `failed`. @default 5 */
  readonly maxRestarts?: number;
  /** Milliseconds over which restarts are counted. @default 60000 */
  readonly windowMs?: number;
  /** What the broker does when the module has failed: goes on, or drains all modules and ends. @default "ignore" */
  readonly escalate?: "ignore" | "stop-broker";
}

/** How it is told that a process hangs. */
export interface HeartbeatSettings {
  /** Milliseconds of silence after which a process is asked for a sign of life; at most half of `timeoutMs`. @default 5000 */
  readonly intervalMs?: number;
  /** Milliseconds of silence after which it is blocked. @default 15000 */
  readonly timeoutMs?: number;
  /** What is done then: only a line in the log, or the process is killed and its restart policy decides. @default "report" */
  readonly onBlocked?: "report" | "restart";
}

/** What becomes of a process that holds much memory. Private memory; PSS or RSS where the system tells no better. */
export interface MemorySettings {
  /** Bytes beyond which a line warns, once until it holds less. @default no limit */
  readonly warnBytes?: number;
  /** Bytes beyond which the process is replaced by a new one, between calls. @default no limit */
  readonly recycleBytes?: number;
  /** Milliseconds from one look to the next. @default 30000 */
  readonly checkMs?: number;
}

/** How a module's processes are supervised. */
export interface SupervisionSettings {
  /** When and how a process that ended is started again; a text is its `policy`. @default "on-failure" */
  readonly restart?: RestartPolicy | RestartSettings;
  /** Milliseconds from the creation of a process to its `Broker.start`, and again for the module's `start` hook. @default 10000 */
  readonly startTimeoutMs?: number;
  /** Milliseconds for finishing calls and the `stop` hook; then comes SIGTERM. A worker has three fifths of it. @default 5000 */
  readonly drainMs?: number;
  /** Milliseconds from SIGTERM to SIGKILL. A worker has a fifth of `drainMs` where that is less. @default 2000 */
  readonly killMs?: number;
  /** Names of modules that this one starts after, when they are ready, and stops before. @default none */
  readonly after?: readonly string[];
  /** How it is told that a process hangs. */
  readonly heartbeat?: HeartbeatSettings;
  /** Limits for the memory of each process. @default none */
  readonly memory?: MemorySettings;
}

export interface MemoryPlan {
  readonly warnBytes: number | null;
  readonly recycleBytes: number | null;
  readonly checkMs: number;
}

/** What holds for the processes of one module. */
export interface SupervisionPlan {
  readonly restart: Required<RestartSettings>;
  readonly startTimeoutMs: number;
  readonly drainMs: number;
  readonly killMs: number;
  readonly heartbeat: Required<HeartbeatSettings>;
  readonly memory: MemoryPlan;
}

const DEFAULTS: SupervisionPlan = {
  restart: {
    policy: "on-failure",
    delayMs: 100,
    factor: 2,
    maxDelayMs: 30_000,
    jitter: 0.1,
    minUptimeMs: 10_000,
    maxRestarts: 5,
    windowMs: 60_000,
    escalate: "ignore",
  },
  startTimeoutMs: 10_000,
  drainMs: 5_000,
  killMs: 2_000,
  heartbeat: { intervalMs: 5_000, timeoutMs: 15_000, onBlocked: "report" },
  memory: { warnBytes: null, recycleBytes: null, checkMs: 30_000 },
};

/** The settings of a module over the defaults. */
export function supervisionPlan(settings: SupervisionSettings): SupervisionPlan {
  const { restart, startTimeoutMs, drainMs, killMs, heartbeat, memory } = settings;
  const given = typeof restart === "string" ? { policy: restart } : restart;
  return {
    restart: { ...DEFAULTS.restart, ...given },
    startTimeoutMs: startTimeoutMs ?? DEFAULTS.startTimeoutMs,
    drainMs: drainMs ?? DEFAULTS.drainMs,
    killMs: killMs ?? DEFAULTS.killMs,
    heartbeat: { ...DEFAULTS.heartbeat, ...heartbeat },
    memory: { ...DEFAULTS.memory, ...memory },
  };
}

/** Deadlines of a worker: together less than its module has, so that a stuck one does not cost the module its end in good order. */
export function workerPlan(plan: SupervisionPlan): SupervisionPlan {
  return { ...plan, drainMs: plan.drainMs * 0.6, killMs: Math.min(plan.killMs, plan.drainMs * 0.2) };
}
