/**
 * The first step of the binary. A broker's process never loads the command line, nor any third-party package: it loads what its
 * role names.
 */

import { readRole, type Role, ROLE_VARIABLE } from "../core/child/role.ts";
import { messageOf } from "../core/user_code.ts";
import { detectRuntime } from "../runtime/detect.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { DEMO_PROGRAM, offerLibrary, PROGRAM_VARIABLE } from "./own_program.ts";
import type { Asked } from "../core/control/question.ts";

/** @param asked the first question of the command that the words name, where it was asked before. */
export async function main(asked?: Asked): Promise<void> {
  const runtime = await detectRuntime();
  try {
    const { role, depth } = ownRole(runtime);
    if (role !== null) return await beProcess(runtime, role);
    const { commandLine } = await import("./command_line.ts");
    runtime.exit(await commandLine(runtime, { depth, asked }));
  } catch (error) {
    runtime.writeError(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    runtime.exit(1);
  }
}

/** An invalid role ends this process before it can start others. */
function ownRole(runtime: Runtime): { readonly role: Role | null; readonly depth: number } {
  try {
    return readRole(runtime.env.get(ROLE_VARIABLE));
  } catch (error) {
    runtime.writeError(`${messageOf(error)}\n`);
    return runtime.exit(2);
  }
}

async function beProcess(runtime: Runtime, role: Role): Promise<void> {
  await offerLibrary(runtime);
  if (role.load !== null) {
    const { serveModuleFiles } = await import("./module_files.ts");
    return await serveModuleFiles(runtime, role);
  }
  const program = runtime.env.get(PROGRAM_VARIABLE);
  if (program === DEMO_PROGRAM) {
    const { runDemo } = await import("./demo.ts");
    await runDemo({ json: false });
  } else if (program !== undefined) await import(program);
  else throw new Error(`Cannot serve module "${role.module}": the environment names no program to load`);
}
