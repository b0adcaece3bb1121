import { timer } from "./clock.ts";

/** Whether a GET of `url` is answered within `ms` with a status below 400. */
export async function answersHttp(url: string, ms: number): Promise<boolean> {
  const late = new AbortController();
  const clear = timer(ms, () => late.abort());
  try {
    const answer = await fetch(url, { redirect: "manual", signal: late.signal });
    await answer.body?.cancel();
    return answer.status < 400;
  } catch {
    return false;
  } finally {
    clear();
  }
}

/** Host and port of `HOST:PORT`; an IPv6 address stands in brackets. */
export function hostAndPort(at: string): { readonly host: string; readonly port: number } {
  const end = at.lastIndexOf(":");
  return { host: at.slice(0, end).replace(/^\[(.*)\]$/, "$1"), port: Number(at.slice(end + 1)) };
}
