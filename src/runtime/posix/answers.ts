/** Whether a program answers where its settings say that it does as soon as it is ready. */

import { timer } from "./clock.ts";
import type { Endpoint } from "../runtime.ts";

export interface TcpPlace {
  readonly hostname: string;
  readonly port: number;
}

/** Whether `endpoint` answers within `ms`. `connects` says whether a TCP connection is accepted, until it is aborted. */
export async function answers(
  { kind, at }: Endpoint,
  ms: number,
  connects: (place: TcpPlace, late: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  const late = new AbortController();
  const clear = timer(ms, () => late.abort());
  try {
    return kind === "http" ? await answersGet(at, late.signal) : await connects(placeOf(at), late.signal);
  } catch {
    return false;
  } finally {
    clear();
  }
}

/** Whether the status is below 400. */
async function answersGet(url: string, late: AbortSignal): Promise<boolean> {
  const { address, headers } = withoutCredentials(new URL(url));
  const answer = await fetch(address, { headers, redirect: "manual", signal: late });
  await answer.body?.cancel();
  return answer.status < 400;
}

/** Node refuses an address with a name and a password in it. */
function withoutCredentials(url: URL): { readonly address: URL; readonly headers: Record<string, string> } {
  const { username, password } = url;
  if (username === "" && password === "") return { address: url, headers: {} };
  const address = new URL(url);
  address.username = "";
  address.password = "";
  const bytes = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { address, headers: { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` } };
}

/** Of `HOST:PORT`; an IPv6 address stands in brackets. */
function placeOf(at: string): TcpPlace {
  const end = at.lastIndexOf(":");
  return { hostname: at.slice(0, end).replace(/^\[(.*)\]$/, "$1"), port: Number(at.slice(end + 1)) };
}
