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
