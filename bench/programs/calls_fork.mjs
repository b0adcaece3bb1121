// The runtime's own IPC: child_process.fork and process.send, an id and a Map, no guarantee at all.
import { fork } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { measure } from "./load.mjs";

if (process.send !== undefined) {
  process.on("message", (message) => process.send(message));
  process.on("disconnect", () => process.exit(0));
} else {
  const serialization = process.env.BENCH_SERIALIZATION ?? "json";
  const child = fork(fileURLToPath(import.meta.url), [], { serialization, env: process.env });
  const waiting = new Map();
  let nextId = 0;
  child.on("message", ({ id, value }) => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve(value);
  });
  const call = (value) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting.set(id, resolve);
      child.send({ id, value });
    });
  await call(null);
  await measure(call);
  child.kill("SIGKILL");
  process.exit(0);
}
