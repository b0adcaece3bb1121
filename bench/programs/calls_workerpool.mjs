// workerpool with one process.
import process from "node:process";
import { fileURLToPath } from "node:url";
import workerpool from "workerpool";
import { echo, measure } from "./load.mjs";

if (process.send !== undefined) workerpool.worker({ echo });
else {
  const pool = workerpool.pool(fileURLToPath(import.meta.url), { workerType: "process", maxWorkers: 1 });
  await measure((value) => pool.exec("echo", [value]));
  process.exit(0);
}
