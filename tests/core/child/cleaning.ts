import { cleanAfterFork } from "../../../src/core/child/cleanup.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import type { Module, ModuleDefinition } from "../../../src/core/module/definition.ts";
import type { Role } from "../../../src/core/child/role.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { TestReporter } from "../log_of.ts";

export const START = "INFO : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:29341 ] cleanup is starting";
export const DONE = "INFO : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:29341 ] cleanup done in 0.000s";

/** The ERROR block of the seed, up to its stack. */
export function block(owner: string, message: string): string[] {
  return [
    "On linux system, the forking mechanism (process creation) is fast but create a copy of the father process. So we have to release unnecessary resources inherited from father. The cleaning has been performed but we encountered an error:",
    `Cleanup of data from module 〖 ${owner} 〗 raised error 〖 ${message} 〗`,
    "Some memory may have not been freed. Shinken will still run if enough memory remains available.",
    "You can report this message to support in order to optimize Shinken memory consumption",
  ].map((text) => `ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:29341 ] [ ${owner} ] ${text}`);
}

export function stackLine(owner: string, text: string): string {
  return `ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:29341 ] [ ${owner} ] ${text}`;
}

function role(worker: number | null): Role {
  const process = worker === null ? "Livestatus" : `Livestatus-${worker}`;
  return {
    broker: "broker-master",
    module: "Livestatus",
    worker,
    process,
    depth: 1,
    channel: "x",
    load: null,
    given: null,
    tree: null,
    descendants: "kill",
  };
}

export async function clean(
  modules: readonly Module[],
  { worker = null, runtime = new FakeRuntime(), advance = 0 }: {
    worker?: number | null;
    runtime?: FakeRuntime;
    advance?: number;
  } = {},
) {
  const reporter = new TestReporter();
  const told: (string | null)[] = [];
  const work = cleanAfterFork({
    runtime,
    reporter,
    role: role(worker),
    modules,
    deadlineMs: 5000,
    cleaning: (owner) => void told.push(owner),
  });
  await runtime.clock.advance(advance);
  const receipt = await work;
  const lines = reporter.lines().filter((line) => !line.startsWith("DEBUG"));
  return { receipt, lines, reporter, told, timers: runtime.clock.timers };
}

/** Modules around Livestatus, each of which notes what is called. */
export function noted(definitions: readonly Omit<ModuleDefinition, "commands">[]) {
  const modules = definitions.map((definition) => defineModule(definition));
  return [defineModule({ name: "Livestatus" }), ...modules];
}
