import { process } from "./global.ts";
import { environment, fileSystem } from "./self.ts";
import { type FolderFacts, privateFolder } from "../posix/private_folder.ts";
import type { PrivateFiles } from "../runtime.ts";

/** Files that only this user sees, by what Node and Bun have in common. */
export const privateFiles: PrivateFiles = {
  folder: (name) =>
    privateFolder(name, {
      env: environment,
      uid: process.getuid?.() ?? null,
      make: (path) => fileSystem().mkdirSync(path, { mode: 0o700 }),
      look,
    }),
  list: (folder) => fileSystem().readdirSync(folder),
  remove: (path) => fileSystem().rmSync(path, { force: true }),
};

function look(path: string): FolderFacts | null {
  try {
    const stats = fileSystem().lstatSync(path);
    return { isFolder: stats.isDirectory(), uid: stats.uid, mode: stats.mode };
  } catch {
    return null;
  }
}
