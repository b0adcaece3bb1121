import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { type Sandbox } from "./cli_process.ts";

interface ShownProcess {
  readonly name: string;
  readonly state: string;
  readonly pid: number;
  readonly restarts: number;
  readonly cleanup: { readonly released: string[] } | null;
}

interface ShownStatus {
  readonly broker: { readonly name: string; readonly pid: number };
  readonly standby: readonly { readonly pid: number }[];
  readonly modules: readonly (ShownProcess & { readonly workers: readonly ShownProcess[] })[];
}

export async function statusOf(sandbox: Sandbox): Promise<ShownStatus> {
  const { code, stdout, stderr } = await sandbox.run(["status", "--json"]);
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

export function pidsOf({ modules }: ShownStatus): number[] {
  return modules.flatMap(({ pid, workers }) => [pid, ...workers.map((worker) => worker.pid)]);
}

/** Until each process is no more. The test's deadline is the end of the patience. */
export async function gone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    while (existsSync(`/proc/${pid}`) && !/^State:\s+[ZX]/m.test(readStatus(pid))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "State: X";
  }
}
