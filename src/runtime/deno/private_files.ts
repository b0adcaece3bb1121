import { type FolderFacts, privateFolder } from "../posix/socket_path.ts";
import type { PrivateFiles } from "../runtime.ts";
import type { DenoNamespace } from "./namespace.ts";

declare const Deno: DenoNamespace;

/** Files that only this user sees, by Deno's own functions. */
export const privateFiles: PrivateFiles = {
  folder: (name) =>
    privateFolder(name, {
      variable: (name) => Deno.env.get(name),
      uid: Deno.uid(),
      make: (path) => Deno.mkdirSync(path, { mode: 0o700 }),
      look,
    }),
  list: (folder) => [...Deno.readDirSync(folder)].map((entry) => entry.name),
  remove(path) {
    try {
      Deno.removeSync(path);
    } catch {
      // Gone before.
    }
  },
};

function look(path: string): FolderFacts | null {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(path);
    return { isFolder: isDirectory, uid, mode: mode ?? 0 };
  } catch {
    return null;
  }
}
