/**
 * JSON of values whose built-in classes a program may have changed: old Prototype.js gives `Array.prototype` a `toJSON` that returns a
 * text.
 *
 * @module
 */

/** What `value.toJSON` is, where it is a form of its own: what all lists or all objects inherit is none. */
export function formOf(value: object): unknown {
  const toJSON: unknown = Reflect.get(value, "toJSON");
  return toJSON === undefined || Object.hasOwn(value, "toJSON") || !inherited().includes(toJSON) ? toJSON : undefined;
}

/** `JSON.stringify`, whatever the program made of the built-in prototypes. */
export function jsonText(value: unknown): string | undefined {
  // Object.prototype is asked with it.
  return "toJSON" in Array.prototype ? JSON.stringify(value, withoutInherited) : JSON.stringify(value);
}

function withoutInherited(this: object, key: string, json: unknown): unknown {
  const value: unknown = Reflect.get(this, key);
  return typeof value === "object" && value !== null && formOf(value) === undefined ? value : json;
}

/** The same for an object, which has a text. */
export function objectText(value: object): string {
  return jsonText(value) ?? "null";
}

function inherited(): unknown[] {
  return [Reflect.get(Array.prototype, "toJSON"), Reflect.get(Object.prototype, "toJSON")];
}
