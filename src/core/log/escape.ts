/**
 * No input may forge a line, or a part of one. What is printed in place of a character is `\n`, `\r`, `\t` or `\uXXXX`.
 *
 * A backslash stays as it is: Windows paths are printed to the byte, and escaping twice changes nothing. `\n` in a line
 * is therefore a newline or a backslash and an n, which a person can tell and no machine has to.
 */

import { cutText } from "../checks.ts";

/** The most characters of one value that a line shows; a longer one ends with an ellipsis. */
const MAX_LENGTH = 10_000;

// Control characters, line and paragraph separators, lone surrogates (no bytes in UTF-8), the marks that turn the
// direction of text (what a person reads is not what is written). By numbers: classes such as `\p{Cc}` cost each process 0.4 ms.
const UNSAFE = String
  .raw`\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff`;
/** A time stamp in brackets, too. */
const UNSAFE_TEXT = new RegExp(`[${UNSAFE}]|\\[\\d{4}-\\d`, "u");
const UNSAFE_NAME = new RegExp(`[${UNSAFE}\\]]`, "u");
const UNSAFE_CHARACTERS = new RegExp(`[${UNSAFE}]`, "gu");
const COLOR_OR_UNSAFE = new RegExp(`\\x1b\\[[\\d;]*m|[${UNSAFE}]`, "gu");

// Readers begin a new record at each time stamp that a level follows, also within a line, but not after an escaped
// newline.
const RECORD_HEAD = /(?<!\\[nr])\[(?=\d{4}-\d\d-\d\d\s+\d\d:\d\d:\d\d\s*\]\s*[A-Z]{4,8}\s*:)/g;

// A stack line stands where the text of an event begins, so a thrown message could otherwise be the text of one.
const OPENING = new RegExp(
  "^(\\s*)(?=" + [
    "The command call",
    "Failed to (?:send|execute)",
    "Fail to send",
    "Received unknown command",
    "Executing command",
    "Our father process",
    "On linux system",
    "Cleanup of data from",
    "Some memory may",
    "You can report",
    "ERROR stack",
    "cleanup (?:is|done)",
  ].join("|").replaceAll(" ", "\\s+") + ")",
);

/** A message, parameters or any other free text, as one line. */
export function escapeText(text: string): string {
  const cut = cutText(text, MAX_LENGTH);
  return UNSAFE_TEXT.test(cut) ? cut.replace(UNSAFE_CHARACTERS, escaped).replace(RECORD_HEAD, "\\u005b") : cut;
}

/** What stands in brackets or between fixed words: a closing bracket is escaped too. */
export function escapeName(name: string): string {
  const cut = cutText(name, MAX_LENGTH);
  return UNSAFE_NAME.test(cut) ? cut.replace(UNSAFE_CHARACTERS, escaped).replaceAll("]", "\\u005d") : cut;
}

/** One line of a stack. Tabs stay, for stacks of other languages; a text that imitates an event gets a `\` in front. */
export function escapeStackLine(line: string): string {
  const cut = cutText(line, MAX_LENGTH);
  const safe = UNSAFE_TEXT.test(cut)
    ? cut.replace(UNSAFE_CHARACTERS, (character) => character === "\t" ? character : escaped(character))
      .replace(RECORD_HEAD, "\\u005b")
    : cut;
  return safe.replace(OPENING, "$1\\");
}

/** A whole line of any file, for a terminal, which would do what its control characters say. Tabs stay. */
export function escapeControls(line: string): string {
  return line.replace(UNSAFE_CHARACTERS, (character) => character === "\t" ? character : escaped(character));
}

/** The same of a text of several lines. With `colors` its own colors stay too. */
export function escapeLines(text: string, { colors = false } = {}): string {
  if (!UNSAFE_TEXT.test(text)) return text;
  return text.replace(
    COLOR_OR_UNSAFE,
    (part) =>
      part === "\n" || part === "\t" || (colors && part.length > 1) ? part : part.replace(UNSAFE_CHARACTERS, escaped),
  );
}

function escaped(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
}

/** The most characters of parameters that a line shows. */
const MAX_PARAMS = 1000;

/**
 * Parameters as the JSON text of a line: `[]`, `["2021-10",3]`, cut at 1,000 characters with an ellipsis.
 *
 * Never throws, and stops once it has enough characters: a string of 100 MB is cut before it is turned into JSON. What
 * JSON has no word for stands as a string: `"<3 bytes>"`, `"<cyclic>"`, `"<function>"`, `"<unreadable>"`.
 */
export function formatParams(params: readonly unknown[]): string {
  const writer = new ParamsWriter();
  writer.write(params);
  return cutText(writer.text, MAX_PARAMS);
}

const UNREADABLE = "<unreadable>";

class ParamsWriter {
  text = "";
  readonly #parents: object[] = [];

  get #full(): boolean {
    return this.text.length > MAX_PARAMS;
  }

  write(value: unknown): void {
    const start = this.text;
    const depth = this.#parents.length;
    try {
      if (typeof value === "object" && value !== null) this.#object(value);
      else this.text += scalarText(value);
    } catch {
      this.text = start + JSON.stringify(UNREADABLE);
      this.#parents.length = depth;
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
      const property = propertyOf(value, key);
      if (property === undefined) continue;
      this.text += `${comma}${JSON.stringify(key.slice(0, MAX_PARAMS))}:`;
      this.write(property);
      comma = ",";
    }
    this.text += "}";
  }
}

function scalarText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.slice(0, MAX_PARAMS + 1));
    case "number":
      return JSON.stringify(value);
    case "boolean":
    case "bigint":
      return String(value);
    case "function":
    case "symbol":
      return `"<${typeof value}>"`;
    default:
      return "null";
  }
}

function propertyOf(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return UNREADABLE;
  }
}
