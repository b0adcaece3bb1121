import { cutText } from "./escape.ts";

/** The most characters of parameters that a line shows. */
const MAX_LENGTH = 1000;

/**
 * Parameters as the JSON text of a line: `[]`, `["2021-10",3]`, cut at 1,000 characters with `…`.
 *
 * Never throws, and stops once it has enough characters: a string of 100 MB is cut before it is turned into JSON. What
 * JSON has no word for stands as a string: `"<3 bytes>"`, `"<cyclic>"`, `"<function>"`, `"<unreadable>"`.
 */
export function formatParams(params: readonly unknown[]): string {
  const writer = new ParamsWriter();
  writer.write(params);
  return cutText(writer.text, MAX_LENGTH);
}

class ParamsWriter {
  text = "";
  readonly #parents: object[] = [];

  get #full(): boolean {
    return this.text.length > MAX_LENGTH;
  }

  write(value: unknown): void {
    const start = this.text;
    const depth = this.#parents.length;
    try {
      this.#value(value);
    } catch {
      this.text = `${start}"<unreadable>"`;
      this.#parents.length = depth;
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.text += JSON.stringify(value.slice(0, MAX_LENGTH + 1));
        return;
      case "number":
        this.text += JSON.stringify(value);
        return;
      case "boolean":
      case "bigint":
        this.text += String(value);
        return;
      case "undefined":
        this.text += "null";
        return;
      case "function":
      case "symbol":
        this.text += `"<${typeof value}>"`;
        return;
      case "object":
        if (value === null) this.text += "null";
        else this.#object(value);
    }
  }

  #object(value: object): void {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      this.text += `"<${value.byteLength} bytes>"`;
    } else if (this.#parents.includes(value)) {
      this.text += '"<cyclic>"';
    } else {
      this.#parents.push(value);
      const json: unknown = "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON() : value;
      if (json !== value) this.write(json);
      else if (Array.isArray(json)) this.#array(json);
      else this.#entries(value);
      this.#parents.pop();
    }
  }

  #array(values: readonly unknown[]): void {
    this.text += "[";
    for (let index = 0; index < values.length && !this.#full; index++) {
      if (index > 0) this.text += ",";
      this.write(values[index]);
    }
    this.text += "]";
  }

  #entries(value: object): void {
    this.text += "{";
    let comma = "";
    for (const key of Object.keys(value)) {
      if (this.#full) break;
      const before = this.text;
      this.text += `${comma}${JSON.stringify(key.slice(0, MAX_LENGTH))}:`;
      const start = this.text.length;
      const isOmitted = this.#property(value, key);
      if (isOmitted || this.text.length === start) this.text = before;
      else comma = ",";
    }
    this.text += "}";
  }

  /** Writes the value of `key`; true where JSON leaves the key out. */
  #property(value: object, key: string): boolean {
    try {
      const property: unknown = Reflect.get(value, key);
      if (property === undefined) return true;
      this.write(property);
    } catch {
      this.text += '"<unreadable>"';
    }
    return false;
  }
}
