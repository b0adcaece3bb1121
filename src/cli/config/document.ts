/**
 * The text of a configuration as a tree that knows where everything stands. Objects keep the order of their keys, also of those
 * that look like numbers.
 */

import { CliError } from "../exit_codes.ts";
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** A place of a configuration. */
export interface Place {
  readonly file: string;
  /** From 1; null where the file as a whole is meant. */
  readonly line: number | null;
  readonly column: number | null;
}

/** What is wrong at one place of a configuration, or with its file. */
export interface Problem extends Place {
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** What is wrong with a configuration, each place in a line of its own: `FILE:LINE:COLUMN: what, and what to do`. */
export class ConfigError extends CliError {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(problemLine).join("\n"), options);
    this.problems = problems;
  }
}

export function problemLine({ file, line, column, message }: Problem): string {
  return line === null ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

/** Keys from the root. */
export type KeyPath = readonly (string | number)[];

export class ConfigDocument {
  /** What has been found to be wrong, in any order. */
  readonly faults: Problem[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #root: Node;
  /** Where each line begins; a faulty text is asked for many places. */
  #lineStarts: readonly number[] | undefined;
  readonly #properties = new Map<Node, ReadonlyMap<string, Node>>();

  /** Finds duplicate keys. @throws {ConfigError} where the text is no JSON with comments. */
  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    if (text.trim() === "") throw new ConfigError([this.#problem(0, EMPTY)]);
    const tooDeep = firstDeeperThan(MAX_DEPTH, text);
    if (tooDeep !== null) throw new ConfigError([this.#problem(tooDeep, TOO_DEEP)]);
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { allowTrailingComma: true });
    const [first] = errors;
    if (first !== undefined) {
      throw new ConfigError([this.#problem(first.offset, SYNTAX.get(printParseErrorCode(first.error)) ?? UNREADABLE)]);
    }
    if (root === undefined) throw new ConfigError([this.#problem(0, EMPTY)]);
    this.#root = root;
    this.#refuseDuplicates(root);
  }

  /** The faults in the order of the text. */
  error(): ConfigError {
    const [line, column] = [({ line }: Place) => line ?? 0, ({ column }: Place) => column ?? 0];
    return new ConfigError(this.faults.toSorted((a, b) => line(a) - line(b) || column(a) - column(b)));
  }

  /** The value at `path` is wrong, or is missing in the nearest one around it. */
  refuse(path: KeyPath, message: string): void {
    this.faults.push({ ...this.placeOf(path), message });
  }

  /** The key at `path` is wrong. */
  refuseKey(path: KeyPath, message: string): void {
    this.faults.push(this.atKey(path, message));
  }

  /** Where the value at `path` stands, or the nearest one around it. */
  placeOf(path: KeyPath): Place {
    return this.#place(this.#way(path).at(-1)?.offset ?? 0);
  }

  atKey(path: KeyPath, message: string): Problem {
    const parent = this.#find(path.slice(0, -1));
    const property = parent === undefined ? undefined : this.#propertiesOf(parent).get(String(path.at(-1)));
    return this.#problem((property ?? parent ?? this.#root).offset, message);
  }

  /** Keys of the object at `path` in the order of the text, each once; none where it is no object. */
  keys(path: KeyPath): string[] {
    const node = this.#find(path);
    return node === undefined ? [] : [...this.#propertiesOf(node).keys()];
  }

  /** The value at `path` as plain data. */
  value(path: KeyPath): unknown {
    return this.#valueOf(this.#find(path));
  }

  /** The values on the way to `path`, from the root, as far as they are there. */
  #way(path: KeyPath): Node[] {
    const way = [this.#root];
    for (const key of path) {
      const next = this.#childOf(way.at(-1), key);
      if (next === undefined) break;
      way.push(next);
    }
    return way;
  }

  #find(path: KeyPath): Node | undefined {
    return this.#way(path)[path.length];
  }

  #childOf(node: Node | undefined, key: string | number): Node | undefined {
    if (typeof key === "number") return node?.type === "array" ? node.children?.[key] : undefined;
    return node === undefined ? undefined : this.#propertiesOf(node).get(key)?.children?.[1];
  }

  /** Each key that its object has already. */
  #refuseDuplicates(node: Node): void {
    const seen = new Map<unknown, Node>();
    for (const child of node.children ?? []) {
      const [key, value] = node.type === "object" ? child.children ?? [] : [undefined, child];
      const before = key === undefined ? undefined : seen.get(key.value);
      if (before !== undefined) {
        const { line } = this.#place(before.offset);
        const text = `duplicate key ${JSON.stringify(key?.value)}: it is in line ${line} too, remove one`;
        this.faults.push(this.#problem(child.offset, text));
      }
      seen.set(key?.value, child);
      if (value !== undefined) this.#refuseDuplicates(value);
    }
  }

  #problem(offset: number, message: string): Problem {
    return { ...this.#place(offset), message };
  }

  #place(offset: number): Place {
    const starts = this.#lineStarts ??= lineStarts(this.#text);
    let [low, high] = [0, starts.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { file: this.#file, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  /** The properties of an object by their keys, of two with one key the first; none of what is no object. */
  #propertiesOf(node: Node): ReadonlyMap<string, Node> {
    const known = this.#properties.get(node);
    if (known !== undefined) return known;
    const properties = new Map<string, Node>();
    for (const property of node.type === "object" ? node.children ?? [] : []) {
      const name = String(property.children?.[0]?.value);
      if (!properties.has(name)) properties.set(name, property);
    }
    this.#properties.set(node, properties);
    return properties;
  }

  #valueOf(node: Node | undefined): unknown {
    if (node?.type === "array") return (node.children ?? []).map((child) => this.#valueOf(child));
    if (node?.type !== "object") return node?.value;
    const entries = [...this.#propertiesOf(node)].map(([key, { children }]) => [key, this.#valueOf(children?.[1])]);
    // Keys such as "__proto__" become properties like any other.
    return Object.fromEntries(entries);
  }
}

function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n|\n|\r/g), ({ 0: end, index }) => index + end.length)];
}

/** Where an object or list begins that is deeper than `most`, or null. What parses and reads a text calls itself for each. */
function firstDeeperThan(most: number, text: string): number | null {
  const scanner = createScanner(text, true);
  let depth = 0;
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const first = text[scanner.getTokenOffset()];
    if (first === "{" || first === "[") depth++;
    else if (first === "}" || first === "]") depth--;
    if (depth > most) return scanner.getTokenOffset();
  }
  return null;
}

/** Far more than anyone writes, and less than a stack holds. */
const MAX_DEPTH = 200;
const TOO_DEEP = `this is nested more than ${MAX_DEPTH} deep, name a configuration`;
const EMPTY = 'the file is empty, it must have at least "name" and "modules"';
const UNREADABLE = "this is not JSON, correct it";

const SYNTAX: ReadonlyMap<string, string> = new Map([
  ["CommaExpected", "a comma is missing before this"],
  ["ColonExpected", "a colon is missing before this"],
  ["PropertyNameExpected", 'a key in double quotes must stand here, such as "name"'],
  ["ValueExpected", "a value is missing here"],
  ["CloseBraceExpected", "a closing } is missing here"],
  ["CloseBracketExpected", "a closing ] is missing here"],
  ["EndOfFileExpected", "the configuration ends before this, remove what follows"],
  ["InvalidSymbol", "this is neither a text in double quotes, a number, true, false nor null"],
  ["InvalidNumberFormat", "this is not a number as JSON has them"],
  ["UnexpectedEndOfComment", "this comment is not closed, end it with */"],
  ["UnexpectedEndOfString", 'this text is not closed, end it with "'],
  ["UnexpectedEndOfNumber", "this number is not complete"],
  ["InvalidUnicode", "\\u must be followed by four hexadecimal digits"],
  ["InvalidEscapeCharacter", "no such escape, write a backslash as \\\\"],
  ["InvalidCharacter", "a control character may not stand in a text, write it as \\n, \\t or \\u0000"],
]);
