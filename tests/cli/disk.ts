import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A file system of its own at `path`, of 128 KiB, for the time of `body`. */
export async function onDisk(path: string, body: (path: string) => void | Promise<void>): Promise<void> {
  mkdirSync(path);
  mount(["-t", "tmpfs", "-o", "size=128k", "tmpfs", path]);
  try {
    await body(path);
  } finally {
    spawnSync("umount", ["-l", path]);
  }
}

/** From now on nothing on the disk at `path` can be changed. */
export function makeReadOnly(path: string): void {
  mount(["-o", "remount,ro", path]);
}

/** Why a test can't have a disk of its own here, or false. */
export function whyNoDisk(): string | false {
  if (process.getuid?.() !== 0) return "only root can mount a disk";
  const folder = mkdtempSync(join(tmpdir(), "brokkr-mount-"));
  try {
    mount(["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder]);
    spawnSync("umount", ["-l", folder]);
    return false;
  } catch {
    return "root may not mount a disk here";
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot mount: ${stderr}`);
}
