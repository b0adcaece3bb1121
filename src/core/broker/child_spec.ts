/** What describes a module's process, from the plan of its broker. */

import type { Endpoint, Runtime } from "../../runtime/runtime.ts";
import type { BrokerFault } from "../faults.ts";
import type { ChildSpec, ParentProcess } from "../child/child_spec.ts";
import type { StartFolder } from "../child/starts.ts";
import { CLEANUP_DEADLINE_MS, hasToClean } from "../child/cleanup.ts";
import type { Guard } from "../child/guard.ts";
import { encodeDepth, encodeRole, type GivenSettings, isWorkerOf, ROLE_VARIABLE } from "../child/role.ts";
import type { StandbyPlan } from "../child/standby.ts";
import type { ProgramPlan } from "../module/definition.ts";
import {
  claimedEnv,
  givenEnv,
  MODULE,
  type NamedEnv,
  outputLimits,
  ownEnv,
  supervisionPlan,
  withheldEnv,
} from "../settings/settings.ts";
import { DaemonSession } from "../program/daemon.ts";
import { ProgramSession } from "../program/session.ts";
import { DEFAULT_FRAME_LIMIT } from "../wire/frame.ts";
import type { CallTargets } from "../wire/messages.ts";
import type { BrokerPlan, ModulePlan } from "./options.ts";

export interface BrokerHost {
  readonly runtime: Runtime;
  /** How deep this process is in brokers. */
  readonly depth: number;
  /** Module files that a new process loads by itself, where the program declares none. */
  readonly load: ((module: string) => readonly (readonly [name: string, path: string])[]) | null;
  /** The folder of the configuration, where there is one. @default the program's */
  readonly folder?: string;
  /** What a configuration says of a module whose file this process has not loaded. @default nothing */
  readonly given?: (module: string) => GivenSettings;
  /** A text that changes with what a configuration says of a module. @default always the same */
  readonly signature?: (module: string) => string;
}

/** What the modules of a broker share. */
export interface ModulesContext {
  readonly plan: BrokerPlan;
  readonly host: BrokerHost;
  readonly parent: ParentProcess & { readonly guard: Guard };
  readonly folder: StartFolder;
  /** A module's process has ended by itself before it was ready. */
  readonly notStarted: (module: string, fault: BrokerFault<"GONE">) => void;
  /** A module has failed that the broker can't be without. */
  readonly failed: () => void;
  readonly changed: () => void;
}

export function childSpec(
  { module: { name, definition, program }, settings }: ModulePlan,
  { plan, host: { runtime, depth, load, given }, parent, folder }: ModulesContext,
): ChildSpec {
  const { descendants = MODULE.descendants.default, permissions } = settings;
  // The imports of a program may read what others claim, and its processes remove it. A sandboxed process may not, and one that is
  // no process of brokkr would not.
  const keepsAll = load === null && permissions === undefined && program === undefined;
  const withheld = keepsAll ? [] : withheldEnv(name, envOf(plan.modules));
  const files = load?.(name).map(([, file]) => file) ?? [];
  const declared = definition.workers?.count ?? given?.(name).workers ?? (given === undefined ? 0 : null);
  const workers = program === undefined ? declared : 0;
  const isRunByFile = load !== null || plan.program !== undefined;
  return {
    parent,
    name,
    module: name,
    workers,
    // One that has fewer rights has no workers.
    isWorker: (process) =>
      permissions === undefined && isWorkerOf(name, process, workers) &&
      !plan.modules.some(({ module }) => module.name === process),
    program: plan.program,
    cwd: folder(name, settings.cwd),
    env: (channel) => {
      const env = { ...withoutVariables(runtime, withheld), ...givenEnv(settings.env) };
      const tree = parent.guard.tree(name, descendants);
      if (program !== undefined) return { ...env, [ROLE_VARIABLE]: encodeDepth(depth + 1, tree) };
      const role = { broker: plan.name, module: name, worker: null, depth: depth + 1, channel, tree, descendants };
      const own = { load: load?.(name) ?? null, given: given?.(name) ?? null };
      return { ...env, [ROLE_VARIABLE]: encodeRole({ ...role, ...own }) };
    },
    sandbox: permissions === undefined ? undefined : { rights: permissions, files },
    flags: settings.runtimeArgs,
    takesStandby: permissions === undefined && settings.runtimeArgs === undefined && program === undefined &&
      !needsOwnStart(settings, load === null),
    collects: hasToClean(load?.(name) ?? plan.modules, null),
    descendants,
    setup: {
      frameLimit: DEFAULT_FRAME_LIMIT,
      cleanupMs: CLEANUP_DEADLINE_MS,
      options: settings.options ?? null,
      supervision: supervisionPlan(settings),
      concurrency: settings.concurrency ?? null,
      queue: settings.queue ?? null,
      output: outputLimits(settings.output),
    },
    ...(program === undefined ? { goal: `Broker.start({ name: "${plan.name}" })`, runsProgram: !isRunByFile } : {
      goal: program.ready === null ? "the end of its initialize exchange" : `an answer at ${shownPlace(program.ready)}`,
      ...whyLate(program),
      runsProgram: false,
      takesCalls: program.protocol !== "none",
      newSession: (parts) =>
        program.protocol === "none" ? new DaemonSession(parts, program) : new ProgramSession(parts, program),
    }),
  };
}

/** Variables that a runtime, or a library of the system, reads once, when a process starts. */
const READ_AT_START =
  /^(?:(?:NODE|DENO|BUN|UV|LD|DYLD|MALLOC|SSL|OPENSSL|ICU|LC)_.*|LANG|LANGUAGE|NO_COLOR|FORCE_COLOR|GLIBC_TUNABLES)$/;

/** Whether a process has to have these settings from its start, as one that was kept ready had not. */
function needsOwnStart({ cwd, env }: ModulePlan["settings"], runsProgram: boolean): boolean {
  if (ownEnv(env).some((name) => READ_AT_START.test(name))) return true;
  // What stands before `Broker.start` has run by then.
  return runsProgram && (cwd !== undefined || Object.keys(givenEnv(env)).length > 0);
}

/** Without what may be a secret: the name and the password, and what follows the path. */
function shownPlace({ kind, at }: Endpoint): string {
  return kind === "tcp" ? at : at.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
}

/** What gets a program before it runs it. */
const FETCHERS = ["npx", "bunx", "pnpx", "uvx", "docker", "podman"];

function whyLate({ command: [program = ""] }: ProgramPlan): Pick<ChildSpec, "whyLate"> {
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (!FETCHERS.includes(name)) return {};
  return { whyLate: `${name} may still be downloading, run the command once by hand or raise startTimeoutMs` };
}

/** What the processes of a broker have to know of each other to make calls. */
export function callTargets({ name, timeoutMs, retry, modules, cluster }: BrokerPlan): CallTargets {
  const calls = modules.flatMap(({ module, calls }) => calls === undefined ? [] : [[module.name, calls] as const]);
  return {
    timeoutMs,
    retry,
    names: [name, ...modules.map(({ module }) => module.name), ...cluster?.settings.imports ?? []],
    ...(calls.length === 0 ? {} : { calls: Object.fromEntries(calls) }),
  };
}

/** What describes the processes that are kept ready: they have what every process of the broker has, and nothing that is of one module. */
export function standbyPlan({ plan, host: { runtime, depth, load }, folder }: ModulesContext): StandbyPlan {
  const claimed = load === null ? [] : plan.modules.flatMap(({ settings }) => claimedEnv(settings.env));
  const [first] = plan.modules;
  const files = first === undefined ? [] : load?.(first.module.name) ?? plan.modules;
  return {
    count: plan.standby,
    loadMs: Math.max(...plan.modules.map(({ settings }) => supervisionPlan(settings).startTimeoutMs)),
    program: plan.program,
    collects: hasToClean(files, null),
    cwd: folder(plan.name),
    env: (channel, tree) => {
      const role = { broker: plan.name, module: "", worker: null, depth: depth + 1, channel, tree } as const;
      const standby = { ...role, load: load === null ? null : [], descendants: "kill", standby: true } as const;
      return { ...withoutVariables(runtime, claimed), [ROLE_VARIABLE]: encodeRole(standby) };
    },
    signature: claimed.toSorted().join(),
  };
}

function withoutVariables(runtime: Runtime, withheld: readonly string[]): Record<string, string> {
  const env = runtime.env.all();
  for (const variable of withheld) delete env[variable];
  return env;
}

function envOf(plans: readonly ModulePlan[]): NamedEnv[] {
  return plans.map(({ module: { name }, settings: { env } }) => ({ name, env }));
}
