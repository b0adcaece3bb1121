// The runtime's own IPC: child_process.fork and process.send, an id and a Map, no guarantee at all. With "json" bytes go as base64.
import { Buffer } from "node:buffer";
import { fork } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { echo, measure } from "./load.mjs";

if (process.send !== undefined) {
  process.on("message", ({ id, value }) => process.send({ id, value: echo(value) }));
  process.on("disconnect", () => process.exit(0));
} else {
  const serialization = process.env.BENCH_SERIALIZATION ?? "json";
  const child = fork(fileURLToPath(import.meta.url), [], { serialization, env: process.env });
  const isJson = serialization === "json";
  const waiting = new Map();
  let nextId = 0;
  child.on("message", ({ id, value }) => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve(isJson && value?.base64 !== undefined ? Buffer.from(value.base64, "base64") : value);
  });
  const call = (value) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting.set(id, resolve);
      const isBase64 = isJson && value instanceof Uint8Array;
      child.send({ id, value: isBase64 ? { base64: Buffer.from(value).toString("base64") } : value });
    });
  await measure(call);
  child.kill("SIGKILL");
  process.exit(0);
}
