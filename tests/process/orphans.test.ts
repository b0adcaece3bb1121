import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";
import { isAlive } from "./broker_of.ts";

const MAIN = fileURLToPath(new URL("../fixtures/broker/main.ts", import.meta.url));

test("kill -9 of the broker leaves no process, busy modules and workers included", { timeout: 60_000 }, async () => {
  const broker = spawn(process.execPath, [...RUN_FLAGS, MAIN], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(broker.stdout, "data");
  const pids: number[] = JSON.parse(String(line));
  assert.equal(pids.length, 5);
  for (const pid of pids) assert.equal(await isAlive(pid), true);
  broker.kill("SIGKILL");
  const deadline = performance.now() + 2_000;
  let left = pids;
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    left = (await Promise.all(left.map(async (pid) => await isAlive(pid) ? [pid] : []))).flat();
  }
  assert.deepEqual(left, []);
});
