/**
 * The order in which modules start: each after those that it names, else as they were declared.
 *
 * @module
 */

import { closestMatch } from "../closest_match.ts";

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
  // Not by a function that calls itself: a way may be longer than a stack.
  const way: { readonly module: Ordered; next: number }[] = [];
  const onWay = new Set<string>();
  const enter = (module: Ordered) => {
    if (order.has(module.name)) return;
    onWay.add(module.name);
    way.push({ module, next: 0 });
  };
  for (const first of modules) {
    enter(first);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const { module } = at;
      const name = module.after[at.next++];
      if (name === undefined) {
        order.add(module.name);
        onWay.delete(module.name);
        way.pop();
        continue;
      }
      const other = byName.get(name);
      if (other === undefined) throw missing(module.name, name, byName.keys());
      if (onWay.has(name)) throw circle(module.name, name, [...onWay]);
      enter(other);
    }
  }
  return [...order];
}

function missing(module: string, name: string, known: Iterable<string>): OrderError {
  const similar = closestMatch(name, known);
  const hint = similar === null ? "" : `, did you mean "${similar}"`;
  return new OrderError(module, `module "${module}" comes after "${name}", which does not exist${hint}`);
}

/** @param way the modules that wait, each for the next one. */
function circle(module: string, name: string, way: readonly string[]): OrderError {
  return new OrderError(module, `modules wait for each other: ${[...way.slice(way.indexOf(name)), name].join(" → ")}`);
}
