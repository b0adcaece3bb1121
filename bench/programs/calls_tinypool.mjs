// tinypool with one process, which may work at many tasks at once.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { echo, measure } from "./load.mjs";

export default echo;

if (process.send === undefined) {
  const { Tinypool } = await import("tinypool");
  const pool = new Tinypool({
    filename: fileURLToPath(import.meta.url),
    runtime: "child_process",
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 4096,
  });
  await measure((value) => pool.run(value));
  process.exit(0);
}
