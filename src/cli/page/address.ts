/** The address of the page: `127.0.0.1:9464`, `[::1]:9464`, `localhost:0`. */

import { isIP } from "node:net";

export interface PageAddress {
  /** An IP address, or a name that resolves to one. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

const ADDRESS = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i;

/** The address that `input` names, or what is wrong with it. */
export function parseAddress(input: string): PageAddress | string {
  const [, version6, other, port] = ADDRESS.exec(input) ?? [];
  const host = version6 ?? other;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  return `"${input}" must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464; port 0 is any free one`;
}

export function addressText({ host, port }: PageAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether only this machine can reach `address`. */
export function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith("127.") : /^(::1|::ffff:127\.[\d.]+)$/i.test(address);
}
