/** The part of `moduleUrl` up to brokkr's source folder, the way stack frames of Deno and Node print it. */
export function ownFilesOf(moduleUrl: string): string {
  return new URL("../", moduleUrl).pathname;
}
