/**
 * The order in which modules start: each after those that it names, else as they were declared.
 *
 * @module
 */

import { nearest } from "../nearest.ts";

export interface Ordered {
  readonly name: string;
  readonly after: readonly string[];
}

/** Modules that can't be put in order. */
export class OrderError extends TypeError {
  override readonly name = "OrderError";
  /** The module whose `after` is wrong. */
  readonly module: string;

  constructor(module: string, message: string) {
    super(message);
    this.module = module;
  }
}

/** @throws {OrderError} where a module comes after one that does not exist, or after itself by any way. */
export function startOrder(modules: readonly Ordered[]): string[] {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const order = new Set<string>();
  const visit = (module: Ordered, way: readonly string[]) => {
    if (order.has(module.name)) return;
    const from = [...way, module.name];
    for (const name of module.after) {
      const other = byName.get(name);
      if (other === undefined) {
        const similar = nearest(name, byName.keys());
        const hint = similar === null ? "" : `, did you mean "${similar}"`;
        throw new OrderError(module.name, `module "${module.name}" comes after "${name}", which does not exist${hint}`);
      }
      if (from.includes(name)) {
        const circle = [...from.slice(from.indexOf(name)), name].join(" → ");
        throw new OrderError(module.name, `modules wait for each other: ${circle}`);
      }
      visit(other, from);
    }
    order.add(module.name);
  };
  for (const module of modules) visit(module, []);
  return [...order];
}
