// The IPC of execa, with an id and a Map.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { execaNode, getEachMessage, sendMessage } from "execa";
import { echo, measure } from "./load.mjs";

if (process.send !== undefined) {
  for await (const { id, value } of getEachMessage()) void sendMessage({ id, value: echo(value) });
} else {
  const child = execaNode(fileURLToPath(import.meta.url), { ipc: true, buffer: false });
  const waiting = new Map();
  let nextId = 0;
  const receive = async () => {
    for await (const { id, value } of child.getEachMessage()) {
      waiting.get(id)(value);
      waiting.delete(id);
    }
  };
  child.catch(() => {});
  void receive();
  await measure((value) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting.set(id, resolve);
      void child.sendMessage({ id, value });
    })
  );
  child.kill("SIGKILL");
  process.exit(0);
}
