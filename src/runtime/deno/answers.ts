import { timer } from "../posix/clock.ts";
import { answersHttp, hostAndPort } from "../posix/http.ts";
import type { Endpoint } from "../runtime.ts";
import type { DenoNamespace } from "./namespace.ts";

declare const Deno: DenoNamespace;

export function answers({ kind, at }: Endpoint, ms: number): Promise<boolean> {
  return kind === "http" ? answersHttp(at, ms) : answersTcp(at, ms);
}

async function answersTcp(at: string, ms: number): Promise<boolean> {
  const { host: hostname, port } = hostAndPort(at);
  let clear = () => {};
  const late = new Promise<false>((resolve) => clear = timer(ms, () => resolve(false)));
  try {
    const connected = Deno.connect({ transport: "tcp", hostname, port }).then((conn) => {
      conn.close();
      return true;
    }, () => false);
    return await Promise.race([connected, late]);
  } finally {
    clear();
  }
}
