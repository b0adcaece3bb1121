import { connect } from "node:net";
import { answersHttp, hostAndPort } from "../posix/http.ts";
import type { Endpoint } from "../runtime.ts";

export async function answers({ kind, at }: Endpoint, ms: number): Promise<boolean> {
  // Node throws at once where a port is none.
  return kind === "http" ? await answersHttp(at, ms) : await answersTcp(at, ms).catch(() => false);
}

function answersTcp(at: string, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...hostAndPort(at), timeout: ms });
    const settle = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}
