/**
 * Stacks: the lines that are logged of one, its frames, where it begins for the user, and what of a thrown value crosses. A bundle has the user's code and the library
 * in one file, so no path tells them apart: the place where a user's function was called does.
 */

import { BrokerError, RemoteError, type ThrownError } from "../faults.ts";
import { applyUser, classNameOf, headline, isError, jsonText, textOf } from "../user_code.ts";
import { attempt, cutText } from "../checks.ts";
import { isNestedDeeper, MAX_DEPTH } from "../wire/frame.ts";

/** What a stack is printed from. `stack` is the text as the runtime made it. */
export interface StackSource {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

const MAX_FRAMES = 50;
const MAX_LINES = 100;
const MAX_LINE_LENGTH = 1000;
const MAX_FILE_LENGTH = 300;
/** What of a stack is looked at. */
const MAX_LENGTH = 1_000_000;
/** Of a message, to find it in the stack. */
const MAX_SEARCHED = 1_000;

/**
 * The lines of an error's stack as they are logged: `Traceback (most recent call last):`, the frames outermost first as
 * `  File "FILE", line N, in FUNCTION`, then `Class: message`. A stack without frames is `Class: message` alone, one of
 * another language is printed as it came. The stacks of its causes and inner errors follow in the same form.
 *
 * Frames of the runtime, and those whose file begins with one of `ownFiles` (paths or `file:` URLs), are left out.
 * Never throws; at least one line, at most 100, of which 50 frames, each of at most 1,000 characters.
 *
 * A function without a name is `<anonymous>`. V8 has no other word for the top level of a module, so such a frame is
 * `<module>` where nothing called it but a loader.
 */
export function stackLines(error: StackSource, ownFiles: readonly string[]): string[] {
  return bounded(allLines(error, ownFiles)).map((line) => cutText(line, MAX_LINE_LENGTH));
}

function allLines(error: StackSource, ownFiles: readonly string[]): string[] {
  const summary = summaryLines(error);
  const stack = (error.stack ?? "").slice(0, MAX_LENGTH);
  if (stack.trim() === "") return summary;
  if (/^\s*Traceback \(most recent call last\)/.test(stack)) return foreignLines(stack);

  const { text, isExact } = withoutMessage(stack, error.message);
  const [own = [], ...others] = partsOf(text.trimEnd().split(/\r?\n/));
  const hasFrames = own.some((line) => readJsFrame(line) !== null);
  const isHeadline = isExact && own.join("").trim() === "" || isOneLine(others.length === 0 ? stack : own.join("\n"));
  if (!hasFrames && !isHeadline) return foreignLines(stack);
  const lines = hasFrames ? tracebackLines(own, summary, ownFiles) : summary;
  return lines === null ? foreignLines(stack) : [...lines, ...others.flatMap((part) => partLines(part, ownFiles))];
}

/** The stack of a JavaScript error, with `summary` below its frames; null where `lines` are none of one. */
function tracebackLines(
  lines: readonly string[],
  summary: readonly string[],
  ownFiles: readonly string[],
): readonly string[] | null {
  const rest = lines.slice(lines.findIndex((line) => readJsFrame(line) !== null));
  if (rest.some((line) => !isOfJsStack(line))) return null;
  const frames = rest.map(readJsFrame).filter((frame) => frame !== null);
  const shown = frameLines(frames, ownFiles.map(filePath).filter((prefix) => prefix !== ""));
  if (shown.length === 0) return summary;
  const outer = shown.length > MAX_FRAMES ? [`  \u2026 ${shown.length - MAX_FRAMES} more`] : [];
  return [TRACEBACK, ...outer, ...shown.slice(0, MAX_FRAMES).reverse(), ...summary];
}

const TRACEBACK = "Traceback (most recent call last):";

/** What {@linkcode wholeStack} puts before each further stack of an error. */
const PART = /^(?:Caused by|Error \d+ of \d+): /;

/** The lines of an error's own stack, and those of its causes and inner errors. */
function partsOf(lines: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const line of lines) {
    if (PART.test(line)) parts.push([]);
    parts.at(-1)?.push(line);
  }
  return parts;
}

/** The lines of a cause or an inner error, as those of the error itself; as they came where they are of no JavaScript. */
function partLines(lines: readonly string[], ownFiles: readonly string[]): readonly string[] {
  const [first = ""] = lines;
  const [what = ""] = PART.exec(first) ?? [];
  const body = [first.slice(what.length), ...lines.slice(1)];
  const frameAt = body.findIndex((line) => readJsFrame(line) !== null);
  if (frameAt === -1) return lines;
  const [head = "", ...rest] = tracebackLines(body, body.slice(0, frameAt), ownFiles) ?? body;
  return [`${what}${head}`, ...rest];
}

function summaryLines({ name, message }: StackSource): string[] {
  const kind = name === "" ? "Error" : name;
  return (message === "" ? kind : `${kind}: ${message.slice(0, MAX_LENGTH)}`).split(/\r?\n/);
}

/** The part behind the message, which may itself have lines that look like frames. */
function withoutMessage(stack: string, message: string): { text: string; isExact: boolean } {
  // To search for a long text costs the product of both lengths, where they are made for it.
  const at = message === "" ? -1 : stack.indexOf(message.slice(0, MAX_SEARCHED));
  const firstLineEnd = stack.indexOf("\n");
  if (at === -1 || (firstLineEnd !== -1 && at > firstLineEnd) || !stack.startsWith(message, at)) {
    return { text: stack, isExact: false };
  }
  return { text: stack.slice(at + message.length), isExact: true };
}

/** `frames` innermost first, as in JavaScript; so are the lines. */
function frameLines(frames: readonly JsFrame[], ownFiles: readonly string[]): string[] {
  const lines: string[] = [];
  for (const [index, frame] of frames.entries()) {
    const { file } = frame;
    if (frame.native || file === null || ownFiles.some((prefix) => file.startsWith(prefix))) continue;
    const caller = frames[index + 1];
    const nameless = caller === undefined || isLoader(caller) ? "<module>" : "<anonymous>";
    lines.push(`  File "${cutText(file, MAX_FILE_LENGTH)}", line ${frame.line}, in ${frame.function ?? nameless}`);
  }
  return lines;
}

function isOfJsStack(line: string): boolean {
  const text = line.trimStart();
  return text === "" || text.startsWith("at ") || text.startsWith("...");
}

function isOneLine(stack: string): boolean {
  return !stack.trim().includes("\n");
}

function foreignLines(stack: string): string[] {
  // Not by one pattern: one that ends in `\s+$` looks again from each blank of a run.
  const from = stack.lastIndexOf("\n", stack.search(/\S/)) + 1;
  return stack.slice(from).trimEnd().split(/\r?\n/);
}

/** The first and the last lines, where there are too many: both the cause and the place matter. */
function bounded(lines: string[]): string[] {
  if (lines.length <= MAX_LINES) return lines;
  const tail = MAX_LINES / 2;
  const head = MAX_LINES - tail - 1;
  return [...lines.slice(0, head), `\u2026 ${lines.length - head - tail} more`, ...lines.slice(-tail)];
}

/** What stands in a stack for all that called the user's function. */
const CALLED_BY_BROKKR = "at brokkr (native)";

/** `stack` up to the place where brokkr called the user's function. */
export function userStack(stack: string): string {
  const line = place ??= findPlace();
  const at = line === "" ? -1 : stack.indexOf(line);
  return at === -1 ? stack : stack.slice(0, at) + CALLED_BY_BROKKR;
}

/** Several stacks in one text, which is logged as it is. */
function joinedStacks(stacks: readonly string[]): string {
  return stacks.join("\n").split("\n").filter((line) => line.trim() !== CALLED_BY_BROKKR).join("\n");
}

/**
 * Makes the stack of an error of brokkr's begin where `fn` was called; for an async function, where it is awaited. An async arrow
 * function is not found by Bun.
 */
export function stackFrom<Thrown>(error: Thrown, fn: (...params: never[]) => unknown): Thrown {
  if (!isError(error) || !(error instanceof BrokerError)) return error;
  const capture: unknown = Reflect.get(Error, "captureStackTrace");
  if (typeof capture === "function") Reflect.apply(capture, Error, [error, fn]);
  return error;
}

let place: string | undefined;

/** The frame of `applyUser` as this engine writes it; empty where it writes none. */
function findPlace(): string {
  const probe = () => new Error().stack;
  const lines = String(applyUser(probe, undefined, [])).split("\n").map((line) => line.trim());
  const frames = lines.filter((line) => readJsFrame(line)?.native === false);
  return frames[1] ?? "";
}

/** One frame of a JavaScript stack. */
interface JsFrame {
  /** As the runtime names it, without what differs between runtimes; null where it has none. */
  readonly function: string | null;
  /** Decoded path, or the URL where it is no file; null in code of the engine, such as `Array.map`. */
  readonly file: string | null;
  readonly line: number;
  /** Code of the engine or the runtime. */
  readonly native: boolean;
}

const MAX_FRAME_LENGTH = 10_000;
const ENGINE = /^(?:<anonymous>|native|native:[\d:]+|unknown|\[native code\]|index \d+|:\d+|wasm:\/\/.*)$/;
const RUNTIME_FILE = /^(?:node|ext|bun|deno|internal|cjs):/;
const LOADER_FILE = /^(?:node:internal\/modules\/|node:module)/;
const LOCATION_START =
  /^(?:[a-z][a-z\d+.-]*:|[\\/]|[A-Za-z]:[\\/]|eval at |<anonymous>|native|unknown|\[native code\]|index \d|:\d)/;
const RELATIVE = /^[^()]*:\d+:\d+$/;

/**
 * A line of the stack that V8 (Node, Deno) or JavaScriptCore (Bun) writes: `at async f (file:///x.js:1:2)`,
 * `at /x.js:1:2`, `at Array.map (<anonymous>)`, `at eval (eval at f (/x.js:1:2), <anonymous>:1:1)`. Null for any other.
 */
function readJsFrame(text: string): JsFrame | null {
  if (text.length > MAX_FRAME_LENGTH) return null;
  const line = text.trim();
  if (!line.startsWith("at ")) return null;
  const body = line.slice(line.startsWith("at async ") ? 9 : 3);
  const open = locationStart(body);
  return open === -1 ? readLocation(null, body) : readLocation(body.slice(0, open), body.slice(open + 2, -1));
}

/** Whether a frame of `file` loads modules: what it calls is the top level of one. */
function isLoader(frame: JsFrame): boolean {
  return frame.file !== null && LOADER_FILE.test(frame.file);
}

/** The path of a `file:` URL, decoded and without its query; any other text as it is. */
function filePath(file: string): string {
  if (!file.startsWith("file://")) return file;
  const path = file.slice(file.startsWith("file:///") ? 7 : 5).replace(/[?#].*$/s, "");
  const local = /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path;
  // Deno prints decoded paths, in which a percent sign may stand for itself.
  return attempt(() => decodeURIComponent(local)) ?? local;
}

/** Where ` (` begins the location. Names of functions and of files may have parentheses too. */
function locationStart(body: string): number {
  if (!body.endsWith(")")) return -1;
  for (let at = body.indexOf(" ("); at !== -1; at = body.indexOf(" (", at + 1)) {
    if (LOCATION_START.test(body.slice(at + 2, at + 40))) return at;
  }
  // The source map of a binary has the sources' paths as they were given to the compiler.
  const last = body.lastIndexOf(" (");
  return last !== -1 && RELATIVE.test(body.slice(last + 2, -1)) ? last : -1;
}

function readLocation(functionText: string | null, location: string): JsFrame | null {
  const name = functionText === null ? null : functionName(functionText);
  if (ENGINE.test(location)) return { function: name, file: null, line: 0, native: true };
  const place = evaluator(location);
  const column = place.lastIndexOf(":");
  const lineAt = place.lastIndexOf(":", column - 1);
  if (lineAt < 1 || !isNumber(place.slice(column + 1)) || !isNumber(place.slice(lineAt + 1, column))) return null;
  const file = filePath(place.slice(0, lineAt));
  const line = Number(place.slice(lineAt + 1, column));
  return { function: name, file, line, native: RUNTIME_FILE.test(file) };
}

/** Code made by `eval` stands where it was made: `eval at f (/x.js:1:2), <anonymous>:3:4` is at `/x.js:1:2`. */
function evaluator(location: string): string {
  let place = location;
  while (place.startsWith("eval at ")) {
    const [open, close] = [place.indexOf(" ("), place.lastIndexOf("), ")];
    if (open === -1 || close < open) return place;
    place = place.slice(open + 2, close);
  }
  return place;
}

function functionName(text: string): string | null {
  const alias = text.endsWith("]") ? text.lastIndexOf(" [as ") : -1;
  const name = alias === -1 ? text : text.slice(0, alias);
  // So JavaScriptCore names a function that has no name; the top level of a module has no text at all there.
  if (name === "<anonymous>") return name;
  // V8 puts the receiver's class before a method, JavaScriptCore does not; the file and line say which method it is.
  const own = name.startsWith("new ") ? name : name.slice(name.lastIndexOf(".") + 1);
  return own === "" || own === "<anonymous>" ? null : own;
}

function isNumber(text: string): boolean {
  return text.length < 10 && /^\d+$/.test(text);
}

const MAX_TEXT = 64 * 1024;
const MAX_CAUSES = 4;
/** Errors within errors, in total. */
const MAX_ERRORS = 100;
/** Characters of each text of an error within another. */
const MAX_INNER_TEXT = 8 * 1024;
/** Characters that are shown of a cause that is no error. */
const MAX_CAUSE_TEXT = 1_000;

/** Reduces whatever was thrown. Never throws, even where a getter of the thrown value does. */
export function describeThrown(thrown: unknown): ThrownError {
  const room = { text: MAX_TEXT, errors: MAX_ERRORS, levels: MAX_DEPTH - 1 };
  // A proxy may look like an error first, and throw when it is read again.
  return attempt(() => described(thrown, room)) ?? noError(thrown, room);
}

/** How much more may be described. */
interface Room {
  readonly text: number;
  errors: number;
  /** How deep data may be: an error within another is two levels deeper, in the list of errors of that one. */
  readonly levels: number;
}

function described(thrown: unknown, room: Room): ThrownError {
  if (!isErrorLike(thrown)) return noError(thrown, room);
  const errors = innerErrors(thrown, room);
  const error = {
    name: cut(read(thrown, "name"), room.text) || "Error",
    message: cut(read(thrown, "message"), room.text),
    stack: cut(wholeStack(thrown, errors), room.text),
  };
  const data = readData(thrown, room);
  return { ...error, ...(data === undefined ? {} : { data }), ...(errors.length === 0 ? {} : { errors }) };
}

function noError(thrown: unknown, room: Room): ThrownError {
  return { name: "Error", message: cut(textOf(thrown), room.text), stack: "" };
}

/** An error, or an object that has a message as an error has. */
function isErrorLike(value: unknown): value is object {
  if (isError(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  return typeof get(value, "message") === "string";
}

function get(error: object, key: "message" | "cause" | "errors" | "data"): unknown {
  return attempt(() => Reflect.get(error, key));
}

function read(error: object, key: "name" | "message" | "stack"): string {
  try {
    const value: unknown = key === "name" && isError(error) ? classNameOf(error) : Reflect.get(error, key);
    return value === undefined ? "" : textOf(value);
  } catch (problem) {
    return `(reading "${key}" threw ${textOf(problem)})`;
  }
}

function wholeStack(error: object, errors: readonly ThrownError[]): string {
  const own = userStack(read(error, "stack"));
  const parts = [own];
  for (const [index, inner] of errors.entries()) {
    parts.push(`Error ${index + 1} of ${errors.length}: ${inner.stack || headline(inner)}`);
  }
  // A handler whose own call failed: the error began in a third process.
  if (error instanceof RemoteError && error.remoteStack !== "") {
    parts.push(`Caused by: ${error.remoteStack}`);
  }
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof current === "object" && current !== null; depth++) {
    current = get(current, "cause");
    if (current === undefined || current === null) break;
    parts.push(`Caused by: ${causeText(current)}`);
  }
  return parts.length === 1 ? own : joinedStacks(parts);
}

function causeText(cause: unknown): string {
  if (isErrorLike(cause)) {
    return userStack(read(cause, "stack")) ||
      headline({ name: read(cause, "name") || "Error", message: read(cause, "message") });
  }
  return cut(plainText(cause), MAX_CAUSE_TEXT);
}

function plainText(value: unknown): string {
  const json = typeof value === "object" && value !== null ? attempt(() => jsonText(value)) : undefined;
  return json ?? textOf(value);
}

/** The errors of an AggregateError. Others may have a list of that name too, so only errors count. */
function innerErrors(error: object, room: Room): ThrownError[] {
  const list = get(error, "errors");
  return attempt(() => {
    if (!Array.isArray(list) || !list.some(isError) && !(error instanceof AggregateError)) return [];
    const inner: ThrownError[] = [];
    const { length } = list;
    for (let index = 0; index < length && room.errors > 0; index++) {
      room.errors--;
      const within: Room = { text: MAX_INNER_TEXT, errors: room.errors, levels: room.levels - 2 };
      inner.push(described(list[index], within));
      room.errors = within.errors;
    }
    return inner;
  }) ?? [];
}

function readData(error: object, { levels }: Room): unknown {
  const data = get(error, "data");
  if (data === undefined) return undefined;
  return attempt(() => {
    const text = jsonText(data);
    if (text === undefined || text.length > MAX_TEXT) return undefined;
    const copy: unknown = JSON.parse(text);
    return isNestedDeeper(text, copy, levels) ? undefined : copy;
  });
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}\u2026`;
}
