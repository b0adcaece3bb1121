/**
 * Commands whose parameters and results are checked, by any schema library that follows Standard Schema.
 *
 * @see https://standardschema.dev
 */

import { isGenerator, isThenable } from "../user_code.ts";
import type { CallContext, Handler, SchemaIssue, StandardSchema } from "./definition.ts";

/** The input type of a schema. */
export type SchemaInput<S> = S extends StandardSchema<infer I, infer _> ? I : never;
/** The output type of a schema. */
export type SchemaOutput<S> = S extends StandardSchema<infer _, infer O> ? O : never;

/**
 * Wraps a command so that its parameters are validated before it runs, and its result before it is sent. If validation fails, the caller
 * gets a `RemoteError` with `remoteName` `"SchemaError"`: its message has the path, its `data.issues` the issues. `result` validates
 * each item of a generator.
 *
 * @param schemas `params` validates the list of all parameters, `result` the result; both are optional.
 * @param handler receives the validated parameters.
 * @example
 * ```ts
 * import { defineModule, type StandardSchema, withSchema } from "brokkr";
 *
 * // Any library does: v.tuple([v.string()]) of Valibot, z.tuple([z.string()]) of Zod.
 * const month: StandardSchema<[string]> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "by hand",
 *     validate: (value) =>
 *       Array.isArray(value) && /^\d{4}-\d\d$/.test(value[0])
 *         ? { value: [value[0]] }
 *         : { issues: [{ message: "must be a month such as 2021-10", path: [0] }] },
 *   },
 * };
 *
 * export const sla = defineModule({
 *   name: "sla",
 *   commands: { get_report: withSchema({ params: month }, (month) => ({ month, availability: 99.7 })) },
 * });
 * ```
 */
export function withSchema<
  Result,
  P extends StandardSchema | undefined = undefined,
  R extends StandardSchema | undefined = undefined,
>(
  schemas: { readonly params?: P; readonly result?: R },
  handler: (
    this: CallContext,
    ...params: [P] extends [undefined] ? never[] : Extract<SchemaOutput<P>, readonly unknown[]>
  ) => Result,
): (
  this: CallContext,
  ...params: [P] extends [undefined] ? never[] : Extract<SchemaInput<P>, readonly unknown[]>
) => [R] extends [undefined] ? Result : Promise<SchemaOutput<R>>;
export function withSchema(
  { params: paramsSchema, result: resultSchema }: { params?: StandardSchema; result?: StandardSchema },
  handler: (...params: never[]) => unknown,
): (...params: unknown[]) => unknown {
  function command(this: unknown, ...params: unknown[]): unknown {
    return after(checked("params", paramsSchema, params), (list) => {
      const result: unknown = Reflect.apply(handler, this, Array.isArray(list) ? list : [list]);
      return resultSchema === undefined ? result : after(result, (value) => checkedResult(resultSchema, value));
    });
  }
  return Object.assign(command, { [SCHEMAS]: { params: paramsSchema, result: resultSchema, handler } });
}

/** Known to every copy of the library. */
const SCHEMAS = Symbol.for("brokkr.schemas");

interface Schemas {
  readonly params: StandardSchema | undefined;
  readonly result: StandardSchema | undefined;
  readonly handler: Handler;
}

export function schemasOf(command: Handler & { readonly [SCHEMAS]?: Schemas }): Schemas | undefined {
  return command[SCHEMAS];
}

/**
 * The options of a module as its schema makes them. @throws {SchemaError} whose `lasting` says that another start would end the same.
 */
export async function checkedOptions(schema: StandardSchema, options: unknown): Promise<unknown> {
  const result = await schema["~standard"].validate(options ?? undefined);
  if (result.issues === undefined) return result.value;
  throw Object.assign(new SchemaError("options", result.issues), { lasting: true, at: pathOf(result.issues[0]) });
}

/** Keys from the outside to the first thing that is wrong. */
function pathOf({ path = [] }: SchemaIssue = { message: "" }): readonly PropertyKey[] {
  return path.map((step) => typeof step === "object" ? step.key : step);
}

function checkedResult(schema: StandardSchema, value: unknown): unknown {
  const yields = typeof value === "object" && value !== null && isGenerator(value);
  return yields ? checkedItems(schema, value) : checked("result", schema, value);
}

async function* checkedItems(schema: StandardSchema, items: AsyncIterable<unknown> | Iterable<unknown>) {
  let index = 0;
  for await (const item of items) yield await checked(`item[${index++}]`, schema, item);
}

function checked(what: string, schema: StandardSchema | undefined, value: unknown): unknown {
  if (schema === undefined) return value;
  return after(schema["~standard"].validate(value), (result) => {
    if (result.issues === undefined) return result.value;
    throw new SchemaError(what, result.issues);
  });
}

/** Without a turn of the microtask queue where there is nothing to wait for. */
function after<T>(value: T | Promise<T>, next: (value: T) => unknown): unknown {
  // Not only promises of the engine's own: those of other libraries and realms are awaited as `await` does.
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return isThenable(value);
}

const MAX_SHOWN = 5;

/** What a caller sees as the remote error. */
class SchemaError extends TypeError {
  override readonly name = "SchemaError";
  readonly data: { readonly issues: readonly { readonly path: string; readonly message: string }[] };

  constructor(what: string, found: readonly SchemaIssue[]) {
    const issues = found.map(({ path = [], message }) => ({ path: `${what}${path.map(stepText).join("")}`, message }));
    const shown = issues.slice(0, MAX_SHOWN).map(({ path, message }) => `${path}: ${message}`);
    if (issues.length > MAX_SHOWN) shown.push(`and ${issues.length - MAX_SHOWN} more`);
    super(shown.join("; "));
    this.data = { issues };
  }
}

function stepText(step: PropertyKey | { readonly key: PropertyKey }): string {
  const key = typeof step === "object" ? step.key : step;
  if (typeof key === "number") return `[${key}]`;
  return typeof key === "string" && /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(String(key))}]`;
}
