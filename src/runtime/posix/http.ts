import { timer } from "./clock.ts";

/** Whether a GET of `url` is answered within `ms` with a status below 400. */
export async function answersHttp(url: string, ms: number): Promise<boolean> {
  const late = new AbortController();
  const clear = timer(ms, () => late.abort());
  try {
    const { address, headers } = withoutCredentials(new URL(url));
    const answer = await fetch(address, { headers, redirect: "manual", signal: late.signal });
    await answer.body?.cancel();
    return answer.status < 400;
  } catch {
    return false;
  } finally {
    clear();
  }
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

/** Host and port of `HOST:PORT`; an IPv6 address stands in brackets. */
export function hostAndPort(at: string): { readonly host: string; readonly port: number } {
  const end = at.lastIndexOf(":");
  return { host: at.slice(0, end).replace(/^\[(.*)\]$/, "$1"), port: Number(at.slice(end + 1)) };
}
