/** One frame of a JavaScript stack. */
export interface JsFrame {
  /** As the runtime names it, without what differs between runtimes; null where it has none. */
  readonly function: string | null;
  /** Decoded path, or the URL where it is no file; null in code of the engine, such as `Array.map`. */
  readonly file: string | null;
  readonly line: number;
  /** Code of the engine or the runtime. */
  readonly native: boolean;
}

const MAX_LENGTH = 10_000;
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
export function readJsFrame(text: string): JsFrame | null {
  if (text.length > MAX_LENGTH) return null;
  const line = text.trim();
  if (!line.startsWith("at ")) return null;
  const body = line.slice(line.startsWith("at async ") ? 9 : 3);
  const open = locationStart(body);
  return open === -1 ? readLocation(null, body) : readLocation(body.slice(0, open), body.slice(open + 2, -1));
}

/** Whether a frame of `file` loads modules: what it calls is the top level of one. */
export function isLoader(frame: JsFrame): boolean {
  return frame.file !== null && LOADER_FILE.test(frame.file);
}

/** The path of a `file:` URL, decoded and without its query; any other text as it is. */
export function filePath(file: string): string {
  if (!file.startsWith("file://")) return file;
  const path = file.slice(file.startsWith("file:///") ? 7 : 5).replace(/[?#].*$/s, "");
  const local = /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path;
  try {
    return decodeURIComponent(local);
  } catch {
    return local; // Deno prints decoded paths, in which a percent sign may stand for itself.
  }
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
