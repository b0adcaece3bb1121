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

  /** Of faults in any order. */
  static of(faults: readonly Fault[]): ConfigError {
    const inOrder = faults.toSorted((one, other) => one.offset - other.offset);
    return new ConfigError(inOrder.map(({ problem }) => problem));
  }
}

/** What is wrong at one place of a text. */
export interface Fault {
  readonly offset: number;
  readonly problem: Problem;
}

export function problemLine({ file, line, column, message }: Problem): string {
  return line === null ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

/** Keys from the root. */
export type KeyPath = readonly (string | number)[];

export class ConfigDocument {
  readonly #file: string;
  readonly #text: string;
  readonly #root: Node;
  /** Where each line begins; a faulty text is asked for many places. */
  #lineStarts: readonly number[] | undefined;
  readonly #properties = new Map<Node, Map<string, Node>>();

  /** @throws {ConfigError} where the text is no JSON with comments. */
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
  }

  /** What is wrong with the value at `path`, or for the nearest one around it. */
  at(path: KeyPath, text: string): Fault {
    let node = this.#root;
    for (const key of path) {
      const next = this.#childOf(node, key);
      if (next === undefined) break;
      node = next;
    }
    return this.#fault(node.offset, text);
  }

  /** Where the value at `path` stands. */
  placeOf(path: KeyPath): Place {
    const { file, line, column } = this.at(path, "").problem;
    return { file, line, column };
  }

  /** The same for the key itself. */
  atKey(path: KeyPath, text: string): Fault {
    const parent = this.#find(path.slice(0, -1));
    const property = parent?.type === "object" ? this.#property(parent, path.at(-1)) : undefined;
    return this.#fault((property ?? parent ?? this.#root).offset, text);
  }

  /** Each key that its object has already. */
  duplicates(): Fault[] {
    return [...this.#duplicates(this.#root)];
  }

  /** Keys of the object at `path` in the order of the text, each once; none where it is no object. */
  keys(path: KeyPath): string[] {
    const node = this.#find(path);
    return node?.type === "object" ? [...new Set((node.children ?? []).map(keyOf))] : [];
  }

  /** The value at `path` as plain data. */
  value(path: KeyPath): unknown {
    const node = this.#find(path);
    return node === undefined ? undefined : toValue(node);
  }

  #find(path: KeyPath): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const key of path) node = node === undefined ? undefined : this.#childOf(node, key);
    return node;
  }

  *#duplicates(node: Node): Generator<Fault> {
    const seen = new Map<string, Node>();
    for (const child of node.children ?? []) {
      if (node.type !== "object") {
        yield* this.#duplicates(child);
        continue;
      }
      const key = keyOf(child);
      const first = seen.get(key);
      if (first !== undefined) {
        const { line } = this.#place(first.offset);
        yield this.#fault(
          child.offset,
          `duplicate key ${JSON.stringify(key)}: it stands in line ${line} too, remove one`,
        );
      }
      seen.set(key, child);
      const [, value] = child.children ?? [];
      if (value !== undefined) yield* this.#duplicates(value);
    }
  }

  #fault(offset: number, text: string): Fault {
    return { offset, problem: this.#problem(offset, text) };
  }

  #problem(offset: number, message: string): Problem {
    return { file: this.#file, ...this.#place(offset), message };
  }

  #place(offset: number): { line: number; column: number } {
    const starts = this.#lineStarts ??= lineStarts(this.#text);
    let [low, high] = [0, starts.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  /** The property of an object by its key; the first of two. */
  #property(node: Node, key: unknown): Node | undefined {
    let properties = this.#properties.get(node);
    if (properties === undefined) {
      properties = new Map();
      for (const property of node.children ?? []) {
        const name = keyOf(property);
        if (!properties.has(name)) properties.set(name, property);
      }
      this.#properties.set(node, properties);
    }
    return properties.get(String(key));
  }

  #childOf(node: Node, key: string | number): Node | undefined {
    if (typeof key === "number") return node.type === "array" ? node.children?.[key] : undefined;
    return node.type === "object" ? this.#property(node, key)?.children?.[1] : undefined;
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

function keyOf(property: Node): string {
  return String(property.children?.[0]?.value);
}

function toValue(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(toValue);
  if (node.type !== "object") return node.value;
  const entries = new Map<string, unknown>();
  for (const property of node.children ?? []) {
    const [, value] = property.children ?? [];
    const key = keyOf(property);
    // The first of two, as everywhere here.
    if (!entries.has(key)) entries.set(key, value === undefined ? undefined : toValue(value));
  }
  // Keys such as "__proto__" become properties like any other.
  return Object.fromEntries(entries);
}
