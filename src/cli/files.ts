/** Looking for files. */

import { closeSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { attempt } from "../core/checks.ts";

export function isFile(path: string): boolean {
  return statsOf(path)?.isFile() === true;
}

export function isFolder(path: string): boolean {
  return statsOf(path)?.isDirectory() === true;
}

/** Undefined where nothing is there, or this user may not know: what is above it may be a file, or a folder of another user. */
export function statsOf(path: string): Stats | undefined {
  return attempt(() => statSync(path));
}

/** The first bytes of a file as text. @throws where it can't be read. */
export function firstBytes(path: string, bytes = 256): string {
  const file = openSync(path, "r");
  try {
    const read = new Uint8Array(bytes);
    return new TextDecoder().decode(read.subarray(0, readSync(file, read)));
  } finally {
    closeSync(file);
  }
}

/** This folder and each above it. */
export function upwards(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}
