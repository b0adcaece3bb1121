import { type FolderFacts, privateFolder } from "../posix/socket_path.ts";
import type { PrivateFiles } from "../runtime.ts";
import { fileSystem, process } from "./process.ts";

/** Files that only this user sees, by what Node and Bun have in common. */
export const privateFiles: PrivateFiles = {
  folder: (name) =>
    privateFolder(name, {
      variable: (name) => process.env[name],
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
