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
export function jsonText(value: unknown, replacer?: (this: object, key: string, json: unknown) => unknown) {
  // Object.prototype is asked with it.
  const text: string | undefined = !("toJSON" in Array.prototype)
    ? JSON.stringify(value, replacer)
    : JSON.stringify(value, function (this: object, key: string, json: unknown) {
      const raw: unknown = Reflect.get(this, key);
      const isOwn = typeof raw !== "object" || raw === null || formOf(raw) !== undefined;
      const form = isOwn ? json : raw;
      return replacer === undefined ? form : replacer.call(this, key, form);
    });
  return text;
}

function inherited(): unknown[] {
  return [Reflect.get(Array.prototype, "toJSON"), Reflect.get(Object.prototype, "toJSON")];
}
