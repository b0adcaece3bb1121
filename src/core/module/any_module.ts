/**
 * Whatever a program or a module's file gives as a module.
 *
 * @module
 */

import { type Module, type ModuleDefinition, toModule } from "./module.ts";
import { type ProgramDefinition, programModule } from "../program/define_program.ts";

/** What a broker takes: what `defineModule` or `defineProgram` returned, or a plain object of the same shape. */
export type AnyModule = Module | ModuleDefinition | ProgramDefinition;

/** @throws {TypeError} when a part of it is wrong; the message names the part. */
export function anyModule(value: unknown): Module {
  const isProgram = typeof value === "object" && value !== null && "command" in value && !("definition" in value);
  return isProgram ? programModule(value) : toModule(value);
}
