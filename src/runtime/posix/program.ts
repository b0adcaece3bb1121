/**
 * The program that this process runs: where it was started, which files are the library's, in which thread of it a call is made, what
 * keeps a new process from running it, and which flags of the runtime that one gets.
 */

import type { Runtime } from "../runtime.ts";

declare const Deno: { cwd(): string };
declare const process: { cwd(): string };

/**
 * Where this process was started: read while the library loads, since a program may change its working directory later, and a new
 * process of it starts from the beginning. Null where that folder was gone already.
 */
export const ORIGIN: string | null = workingFolder();

function workingFolder(): string | null {
  try {
    return "Deno" in globalThis ? Deno.cwd() : process.cwd();
  } catch {
    return null;
  }
}

/** A relative `path` as it was meant where this process was started. */
export function fromOrigin(path: string, origin: string | null = ORIGIN): string {
  if (path.startsWith("/") || origin === null) return path;
  const parts: string[] = [];
  for (const part of `${origin}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The folder that a program stands in; null for one that is no file. */
export function folderOf(program: string | null): string | null {
  if (program === null) return null;
  const isUrl = /^[a-z][a-z0-9+.-]*:/i.test(program);
  if (isUrl && !program.startsWith("file:")) return null;
  const path = isUrl ? decodeURIComponent(new URL(program).pathname) : fromOrigin(program);
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The sources, and what they are compiled to. */
const SOURCE = /^(.*\/src\/)runtime\/[^/]*\/[^/]*$/;
/** The npm package has the library in few files of a name of their own: whoever bundles a program may put them beside the program's. */
const PACKAGED = /^(.*\/)lib\/brokkr-[^/]*$/;

/**
 * What the paths of the library's files begin with, the way stack frames of Deno, Node and Bun print them: URLs where it was imported
 * by one. None in a bundle, which has the user's code in the same file.
 *
 * @param moduleUrl of one of them; there is none in a bundle of CommonJS.
 */
export function ownFilesOf(moduleUrl: string | undefined): string[] {
  if (moduleUrl === undefined) return [];
  const { protocol, origin, pathname } = new URL(moduleUrl);
  const path = (protocol === "file:" ? "" : origin) + decodeURIComponent(pathname);
  const folder = PACKAGED.exec(path)?.[1];
  if (folder !== undefined) return [`${folder}lib/brokkr-`];
  const sources = SOURCE.exec(path)?.[1];
  // Not the whole folder: the command line's own modules are users of the library.
  return sources === undefined ? [] : ["core/", "runtime/", "broker."].map((part) => sources + part);
}

/** The folder of the library: of its sources, or of the package. Null in a bundle, and where it was not read from files. */
export function ownFolderOf(moduleUrl: string): string | null {
  const { protocol, pathname } = new URL(moduleUrl);
  if (protocol !== "file:") return null;
  const path = decodeURIComponent(pathname);
  return PACKAGED.exec(path)?.[1] ?? SOURCE.exec(path)?.[1]?.replace(/src\/$/, "") ?? null;
}

/** What stands after "Cannot start broker ...": the program that runs is none that a new process could run. */
export const NO_FILE =
  'its program was not read from a file, so that no new process can run it, put it into one or set "program" to one';

export const CLUSTER_WORKER =
  "this process is a worker of node:cluster, and a new process of its program would be the primary, " +
  'set "program" to a file that only starts the broker';

/** Why there are no fewer rights where the runtime is not Deno. */
export function cannotSandbox(runtime: string): string {
  return `${runtime} cannot restrict a process: remove them, or start with Deno`;
}

/** Why a compiled binary takes no flags. */
export const FIXED_FLAGS = "a compiled binary has fixed flags: remove them, or run brokkr with the runtime itself";

/** @throws {Error} on a system whose processes brokkr can't end with everything they started. */
export function checkSystem(name: string): void {
  if (name !== "windows" && name !== "win32") return;
  throw new Error("Cannot run brokkr on Windows: it needs Linux or macOS, the Windows Subsystem for Linux included");
}

/**
 * The end of this process by `exit` of the owner, which the program may call too: while that call is refused, brokkr's own is not. The
 * owner is looked up late: a bundle of one file evaluates what is for the other runtimes, too.
 */
export function refusableExit(ownerOf: () => { exit: (code: number) => never }): Pick<Runtime, "exit" | "refuseExit"> {
  let own: ((code: number) => never) | undefined;
  return {
    exit: (code) => (own ?? ownerOf().exit)(code),
    refuseExit(refusal) {
      const owner = ownerOf();
      const found = own = owner.exit;
      owner.exit = (code) => {
        throw refusal(code);
      };
      return () => {
        owner.exit = found;
        own = undefined;
      };
    },
  };
}

interface Storage {
  run<T>(name: string, fn: () => T): T;
  getStore(): string | undefined;
}

let storage: Storage | undefined;

/**
 * Runs `fn` and returns its result. Log lines of the calls that it makes, across `await` too, have `name` as their thread; outside of it
 * the thread is `MainThread`.
 *
 * @throws {TypeError} if `name` is not a string.
 * @example
 * ```ts
 * import { withThread } from "brokkr";
 *
 * const answer = await withThread("CP Server Thread-46", async () => await Promise.resolve("answered"));
 * if (answer !== "answered") throw new Error(answer);
 * ```
 */
export function withThread<T>(name: string, fn: () => T): T {
  if (typeof name !== "string") {
    throw new TypeError(`Cannot name a thread: its name is a text, and it is ${String(name)}`);
  }
  storage ??= newStorage();
  return storage.run(name, fn);
}

/** The name that the innermost {@link withThread} around the caller gave. */
export function currentThread(): string | undefined {
  return storage?.getStore();
}

// Asked for at the first use: the import costs a Deno process 6 ms of start, and a program without threads none of it.
function newStorage(): Storage {
  const hooks = globalThis.process?.getBuiltinModule?.("node:async_hooks");
  if (hooks === undefined) {
    throw new Error(
      'Cannot name a thread: the module "node:async_hooks" is missing, use Node 20.16, Deno 2 or Bun 1.2 or newer',
    );
  }
  return new hooks.AsyncLocalStorage<string>();
}

export interface FlagRules {
  /** A process of the same program must not repeat these: it would listen, wait, test or evaluate where its parent process does. */
  isDropped(name: string): boolean;
  /** The value of flag `name` in a form that holds in any working directory. */
  absolute(name: string, value: string): string;
}

/**
 * What is a value is known by its position: an element without a leading dash belongs to the flag before it, as no runtime takes a
 * value with one. So no list of the flags that have a value is needed, and a flag that is dropped takes its value along.
 */
export function passedOn(flags: readonly string[], { isDropped, absolute }: FlagRules): string[] {
  const result: string[] = [];
  let name: string | undefined;
  for (const element of flags) {
    if (!element.startsWith("-")) {
      if (name !== undefined) result.push(absolute(name, element));
      continue;
    }
    const equals = element.indexOf("=");
    name = equals === -1 ? element : element.slice(0, equals);
    if (isDropped(name)) name = undefined;
    else result.push(equals === -1 ? element : `${name}=${absolute(name, element.slice(equals + 1))}`);
  }
  return result;
}

/** The elements of a variable such as NODE_OPTIONS, with quotes and escapes as Node reads them. */
export function splitOptions(text: string): string[] {
  const elements: string[] = [];
  let element = "";
  let isQuoted = false;
  let isStarted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    if (letter === "\\" && isQuoted) element += text.charAt(++i);
    else if (letter === '"') {
      isQuoted = !isQuoted;
      isStarted = true;
    } else if (letter === " " && !isQuoted) {
      if (isStarted || element !== "") elements.push(element);
      [element, isStarted] = ["", false];
    } else element += letter;
  }
  if (isStarted || element !== "") elements.push(element);
  return elements;
}

/** The elements as text again. */
export function joinOptions(elements: readonly string[]): string {
  return elements.map((element) =>
    /[\s"\\]/.test(element) || element === "" ? `"${element.replaceAll(/["\\]/g, "\\$&")}"` : element
  ).join(" ");
}

/**
 * Test runners, and servers that load the program's code: their processes run them and not the program, so that a new process of the
 * same program would run all tests or serve the same port again.
 */

/** By a part of the path of the file that such a process runs. */
const RUNNERS: readonly (readonly [name: string, path: RegExp])[] = [
  ["vitest", /\/node_modules\/(vitest|tinypool)\//],
  ["jest", /\/node_modules\/(jest|jest-cli|jest-worker|react-scripts)\//],
  ["mocha", /\/node_modules\/mocha\//],
  ["ava", /\/node_modules\/ava\//],
  ["jasmine", /\/node_modules\/jasmine\//],
  ["playwright", /\/node_modules\/(@playwright\/test|playwright)\//],
  ["Next.js", /\/node_modules\/next\//],
];

/** Name of the runner whose file `path` is; null where it is none. */
export function runnerOf(path: string): string | null {
  return RUNNERS.find(([, part]) => part.test(path))?.[0] ?? null;
}

/** Why the program of a process that `runner` runs in can't be run again, and what to do. */
export function inRunner(runner: string): string {
  return `it runs in ${runner}, which a new process would run again, set "program" to a file that only starts the broker, ` +
    'or "inProcess" to true to run the modules in this process';
}
