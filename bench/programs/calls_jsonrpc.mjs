// vscode-jsonrpc over fork and process.send.
import { fork } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from "vscode-jsonrpc/node.js";
import { echo, measure } from "./load.mjs";

const over = (peer) => createMessageConnection(new IPCMessageReader(peer), new IPCMessageWriter(peer));

if (process.send !== undefined) {
  const connection = over(process);
  connection.onRequest("echo", echo);
  connection.listen();
} else {
  const child = fork(fileURLToPath(import.meta.url), [], { env: process.env });
  const connection = over(child);
  connection.listen();
  await measure((value) => connection.sendRequest("echo", value));
  child.kill("SIGKILL");
  process.exit(0);
}
