/** What the paths of the library's files begin with, the way stack frames of Deno, Node and Bun print them. */
export function ownFilesOf(moduleUrl: string): string[] {
  const source = decodeURIComponent(new URL("../", moduleUrl).pathname);
  // Not the whole folder: the command line's own modules are users of the library.
  return ["core/", "runtime/", "broker."].map((part) => source + part);
}
