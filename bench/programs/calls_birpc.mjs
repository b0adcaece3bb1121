// birpc over fork and process.send.
import { fork } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createBirpc } from "birpc";
import { echo, measure } from "./load.mjs";

const over = (peer) => ({ post: (data) => peer.send(data), on: (fn) => peer.on("message", fn) });

if (process.send !== undefined) {
  createBirpc({ echo }, over(process));
  process.on("disconnect", () => process.exit(0));
} else {
  const child = fork(fileURLToPath(import.meta.url), [], { env: process.env });
  const rpc = createBirpc({}, { ...over(child), timeout: 10_000 });
  await measure((value) => rpc.echo(value));
  child.kill("SIGKILL");
  process.exit(0);
}
