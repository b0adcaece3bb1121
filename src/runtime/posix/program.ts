/** The program that this process runs: where it was started, which files are the library's, and what keeps a new process from running it. */

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

/** What stands after "Cannot start broker …": the program that runs is none that a new process could run. */
export const NO_FILE =
  'its program was not read from a file, so that no new process can run it, put it into one or set "program" to one';

/** Why there are no fewer rights where the runtime is not Deno. */
export function cannotSandbox(runtime: string): string {
  return `${runtime} gives a process every right of its user: remove them, or start with Deno`;
}

/** @throws {Error} on a system whose processes brokkr can't end with everything they started. */
export function checkSystem(name: string): void {
  if (name !== "windows" && name !== "win32") return;
  throw new Error("Cannot run brokkr on Windows: it needs Linux or macOS, the Windows Subsystem for Linux included");
}
