/**
 * The user's code: calling it, looking at what it returns or throws, which may be anything, and writing JSON whatever it made of the
 * built-in prototypes. But for `classNameOf`, nothing that looks at a thrown value throws, whatever its getters and traps do.
 */

export function applyUser<R>(fn: () => R, self: unknown, params: readonly []): R;
export function applyUser(
  fn: Parameters<typeof Reflect.apply>[0],
  self: unknown,
  params: readonly unknown[],
): unknown;
export function applyUser(
  fn: Parameters<typeof Reflect.apply>[0],
  self: unknown,
  params: readonly unknown[],
): unknown {
  try {
    return Reflect.apply(fn, self, params);
  } catch (error) {
    // The engine of Bun leaves out the frame of a function whose last act is a call, unless it may catch.
    throw error;
  }
}

/** A result that comes later. */
export function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** A result that can be sent item by item. A string could too, and is never meant to. */
export function isStreamable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** The result of a generator function, which has no other use than its items. */
export function isGenerator(value: object): value is AsyncIterable<unknown> | Iterable<unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype) return false;
  return "next" in value && typeof value.next === "function" &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** Whether `value` is an Error, of this realm or of another: a context of `node:vm` has classes of its own. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
  } catch {
    return false;
  }
}

/** Whether the same would be thrown at the next try, too. */
export function isLasting(value: unknown): boolean {
  try {
    return isError(value) && "lasting" in value && value.lasting === true;
  } catch {
    return false;
  }
}

/** The stack of an error, or what else was thrown as a text. */
export function stackOf(value: unknown): string {
  try {
    return isError(value) && value.stack !== undefined ? textOf(value.stack) : messageOf(value);
  } catch {
    return messageOf(value);
  }
}

/** `String(value)`, or what can be said of a value that has no text. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    try {
      return Object.prototype.toString.call(value);
    } catch {
      return "[object]";
    }
  }
}

/** What an error says, or the name of its class where it says nothing, or what else was thrown as a text. */
export function messageOf(value: unknown): string {
  try {
    return isError(value) ? textOf(value.message) || classNameOf(value) : textOf(value);
  } catch {
    return textOf(value);
  }
}

/** An error on one line, as its stack begins. */
export function headline({ name, message }: { readonly name: string; readonly message: string }): string {
  return message === "" ? name : `${name}: ${message}`;
}

/**
 * The name of an error's class: `error.name` where the error or its class sets one, else the name of the class itself, since
 * `class IOError extends Error {}` leaves `name` at "Error". Not empty; throws what a getter throws.
 */
export function classNameOf(error: Error): string {
  const name: unknown = error.name;
  const parent: unknown = Object.getPrototypeOf(error);
  const isSet = Object.hasOwn(error, "name") ||
    (typeof parent === "object" && parent !== null && Object.hasOwn(parent, "name"));
  if (isSet && name !== "" && name !== undefined) return textOf(name);
  const { name: className } = error.constructor ?? {};
  return typeof className === "string" && className !== "" ? className : textOf(name || "Error");
}

/** What `value.toJSON` is, where it is a form of its own: what all lists or all objects inherit is none. */
export function formOf(value: object): unknown {
  const toJSON: unknown = Reflect.get(value, "toJSON");
  return toJSON === undefined || Object.hasOwn(value, "toJSON") || !inherited().includes(toJSON) ? toJSON : undefined;
}

/** `JSON.stringify`, whatever the program made of the built-in prototypes. */
export function jsonText(value: unknown): string | undefined {
  return hasInheritedForm() ? JSON.stringify(value, withoutInherited) : JSON.stringify(value);
}

/** The same for an object, which has a text. */
export function objectText(value: object): string {
  return jsonText(value) ?? "null";
}

/** Whether all lists have a `toJSON`, by their own prototype or by that of all objects. */
export function hasInheritedForm(): boolean {
  return "toJSON" in Array.prototype;
}

/** What `JSON.rawJSON` makes, where the engine has it: of such a value JSON is the text, whatever number it is. */
export function isRawJson(value: object): value is { readonly rawJSON: string } {
  const isRaw: unknown = Reflect.get(JSON, "isRawJSON");
  return typeof isRaw === "function" && isRaw(value) === true;
}

function withoutInherited(this: object, key: string, json: unknown): unknown {
  const value: unknown = Reflect.get(this, key);
  return typeof value === "object" && value !== null && formOf(value) === undefined ? value : json;
}

function inherited(): unknown[] {
  return [Reflect.get(Array.prototype, "toJSON"), Reflect.get(Object.prototype, "toJSON")];
}
