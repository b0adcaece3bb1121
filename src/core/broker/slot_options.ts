/**
 * What a module's process is made of, from the plan of its broker.
 *
 * @module
 */

import type { BrokerSeat } from "./seat.ts";
import { CallServer, type Service } from "../call/server.ts";
import { claimedByOthers } from "./claims.ts";
import { hasToClean } from "../child/cleanup.ts";
import { DEFAULT_FRAME_LIMIT } from "../wire/frame.ts";
import type { BrokerLog } from "../log/broker_log.ts";
import type { BrokerPlan, ModulePlan } from "./options.ts";
import { ProgramRun } from "../program/program_run.ts";
import { encodeDepth, encodeRole, isWorkerOf, ROLE_VARIABLE } from "../child/role.ts";
import { setupOf } from "./setup_of.ts";
import type { Guard } from "../child/guard.ts";
import type { StartPlaces } from "../child/start_queue.ts";
import type { SlotOptions, SlotParts } from "../child/module_slot.ts";
import { outputLimits } from "../module/settings.ts";
import type { StartFolder } from "../child/start_folder.ts";
import { supervisionPlan } from "../module/settings.ts";

/** What a program of another language must reach in time. */
const START_GOAL = "the end of its initialize exchange";

/** What the modules of a broker share. */
export interface SlotContext {
  readonly plan: BrokerPlan;
  readonly seat: BrokerSeat;
  readonly log: BrokerLog;
  readonly guard: Guard;
  readonly starts: StartPlaces;
  readonly folder: StartFolder;
  /** What the modules' calls are run by. */
  readonly service: Service;
  /** A module has failed that the broker can't be without. */
  readonly failed: () => void;
}

export function slotOptions(
  { module: { name, definition, program }, settings }: ModulePlan,
  { plan, seat, log, guard, starts, folder, service, failed }: SlotContext,
): SlotParts {
  const { runtime, depth, load, given } = seat;
  const { descendants = "kill", permissions } = settings;
  // The imports of a program may read what others claim, and its processes remove it. A sandboxed process may not, and one that is
  // no process of brokkr would not.
  const keepsAll = load === null && permissions === undefined && program === undefined;
  const withheld = keepsAll ? [] : claimedByOthers(name, plan.modules);
  const files = load?.(name).map(([, file]) => file) ?? [];
  const workers = definition.workers?.count ?? given?.(name).workers ?? (given === undefined ? 0 : null);
  const options: SlotOptions = {
    runtime,
    reporter: log,
    name,
    module: name,
    broker: plan.name,
    father: plan.name,
    program: plan.program,
    cwd: folder.of(name, settings.cwd),
    runsProgram: load === null && program === undefined && plan.program === undefined,
    collects: hasToClean(load?.(name) ?? plan.modules, null),
    sandbox: permissions === undefined ? undefined : { rights: permissions, files },
    guard,
    starts,
    descendants,
    env: (channel) => {
      const env = runtime.env.all();
      for (const variable of withheld) delete env[variable];
      const tree = guard.tree(name, descendants);
      if (program !== undefined) return { ...env, [ROLE_VARIABLE]: encodeDepth(depth + 1, tree) };
      const role = { broker: plan.name, module: name, worker: null, depth: depth + 1, channel, tree, descendants };
      const own = { load: load?.(name) ?? null, given: given?.(name) ?? null };
      return { ...env, [ROLE_VARIABLE]: encodeRole({ ...role, ...own }) };
    },
    setup: () => setupOf(plan, settings, log.wanted()),
    onFailed: () => {
      if (supervisionPlan(settings).restart.escalate === "stop-broker") failed();
    },
    // One that has fewer rights has no workers.
    isWorker: (process) =>
      permissions === undefined && isWorkerOf(name, process, workers) &&
      !plan.modules.some(({ module }) => module.name === process),
    records: (events) => {
      for (const event of events) if (log.wants(event.event)) log.emit(event);
    },
    callee: (link) =>
      new CallServer(link, {
        reporter: log,
        service,
        module: name,
        peer: name,
        frameLimit: DEFAULT_FRAME_LIMIT,
        ownFiles: runtime.ownFiles,
      }),
  };
  if (program === undefined) return { workers, options };
  const shared = { ...options, plan: program, output: outputLimits(settings.output) };
  return {
    workers: 0,
    options: { ...options, goal: START_GOAL, newRun: (life) => new ProgramRun({ ...shared, ...life }) },
  };
}
