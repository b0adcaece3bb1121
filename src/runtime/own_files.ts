/** Its files have a name of their own, since whoever bundles a program may put them beside the program's. */
const BUNDLED = /^(.*\/)lib\/brokkr-[^/]*$/;

/** What the paths of the library's files begin with, the way stack frames of Deno, Node and Bun print them. */
export function ownFilesOf(moduleUrl: string): string[] {
  const path = decodeURIComponent(new URL(moduleUrl).pathname);
  const bundle = BUNDLED.exec(path)?.[1];
  // The npm package has the library in few files, and source maps that lead to the many.
  if (bundle !== undefined) return [`${bundle}lib/brokkr-`, ...sources(`${bundle}src/`)];
  return sources(decodeURIComponent(new URL("../", moduleUrl).pathname));
}

function sources(folder: string): string[] {
  // Not the whole folder: the command line's own modules are users of the library.
  return ["core/", "runtime/", "broker."].map((part) => folder + part);
}
