import type { DenoNamespace } from "../deno/namespace.ts";

declare const Deno: DenoNamespace;
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
