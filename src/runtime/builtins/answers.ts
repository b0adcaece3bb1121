import { connect } from "node:net";
import { answersHttp, hostAndPort } from "../posix/http.ts";
import type { Endpoint } from "../runtime.ts";

export function answers({ kind, at }: Endpoint, ms: number): Promise<boolean> {
  return kind === "http" ? answersHttp(at, ms) : answersTcp(at, ms);
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
