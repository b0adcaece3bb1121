import { createConnection, createServer, type Server, type Socket } from "node:net";
import { failureReason } from "../posix/failure_reason.ts";
import { process } from "./global.ts";
import { LINGER_MS } from "./parent.ts";
import type { Channel, Listener } from "../runtime.ts";
import { StreamChannel } from "../posix/stream_channel.ts";

const OWNER_ONLY = 0o177;

/** Serves a unix socket that no other user can open at any time. */
export async function listen(path: string, accept: (channel: Channel) => void): Promise<Listener> {
  const server = createServer((socket) => accept(socketChannel(socket)));
  await bound(server, path);
  // Accepting fails where every descriptor is in use; the server goes on.
  server.on("error", () => {});
  return { close: () => void server.close() };
}

export function connect(path: string): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socketChannel(socket));
    });
  });
}

function socketChannel(socket: Socket): Channel {
  return new StreamChannel(socket, socket, { lingerMs: LINGER_MS });
}

/** Binding takes the mode from the process' mask and happens within `listen()`, for which the mask is changed. */
function bound(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new Error(`Cannot listen on "${path}": ${failureReason(cause)}`, { cause }),
      );
    });
    const mask = process.umask(OWNER_ONLY);
    try {
      server.listen({ path }, resolve);
    } finally {
      process.umask(mask);
    }
  });
}
