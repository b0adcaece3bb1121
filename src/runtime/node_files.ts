import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import process from "node:process";
import { environment } from "./node_self.ts";
import { type FolderFacts, privateFolder } from "./private_folder.ts";
import type { PrivateFiles } from "./runtime.ts";

/** Files that only this user sees, by what Node and Bun have in common. */
export const privateFiles: PrivateFiles = {
  folder: (name) =>
    privateFolder(name, {
      env: environment,
      uid: process.getuid?.() ?? null,
      make: (path) => mkdirSync(path, { mode: 0o700 }),
      look,
    }),
  list: (folder) => readdirSync(folder),
  remove: (path) => rmSync(path, { force: true }),
};

function look(path: string): FolderFacts | null {
  try {
    const stats = lstatSync(path);
    return { isFolder: stats.isDirectory(), uid: stats.uid, mode: stats.mode };
  } catch {
    return null;
  }
}
