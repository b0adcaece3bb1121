/**
 * Where the page is, and who may see it. Any web site that a user visits can send requests to this machine, and read the answers if its name resolves
 * to this machine (DNS rebinding): so the host of a request must be a known one, and its origin the same.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { messageOf } from "../../core/user_code.ts";
import type { Environment } from "../../runtime/runtime.ts";
import { CliError } from "../exit_codes.ts";

type Verdict =
  | { readonly kind: "allowed" }
  | { readonly kind: "refused"; readonly why: string }
  /** The token is missing or wrong. */
  | { readonly kind: "unknown" }
  /** The token was in the URL, where it should not stay. */
  | { readonly kind: "login"; readonly cookie: string };

interface AccessOptions {
  readonly token: Token | null;
  /** Names of this machine, beside `localhost`. */
  readonly names: readonly string[];
  /** Whether only this machine can reach the page. */
  readonly local: boolean;
  readonly port: number;
}

export class Access {
  readonly #options: AccessOptions;
  readonly #cookie: string;

  constructor(options: AccessOptions) {
    this.#options = options;
    // Cookies are shared by all ports of a host.
    this.#cookie = `brokkr_page_${options.port}`;
  }

  /** Whether the request was sent on purpose, and not by another web site. */
  origin({ headers }: IncomingMessage): Verdict {
    const { host = "", origin } = headers;
    const name = hostName(host);
    if (name === null || !this.#isOwn(name)) {
      return { kind: "refused", why: `host "${host}" does not belong to this page, use the address of --page` };
    }
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      return { kind: "refused", why: `origin "${origin}" differs from host "${host}"` };
    }
    return { kind: "allowed" };
  }

  /** Whether the request has the token. */
  secret({ headers }: IncomingMessage, url: URL): Verdict {
    const { token } = this.#options;
    if (token === null) return { kind: "allowed" };
    const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
    if (bearer !== undefined) return token.isToken(bearer) ? { kind: "allowed" } : { kind: "unknown" };
    const given = url.searchParams.get("token");
    if (given !== null && token.isToken(given.trim())) {
      return { kind: "login", cookie: `${this.#cookie}=${token.cookie}; HttpOnly; SameSite=Strict; Path=/` };
    }
    const cookies = (headers.cookie ?? "").split(/; */).map((cookie) => cookie.split("="));
    const isKnown = cookies.some(([name, value = ""]) => name === this.#cookie && token.isCookie(value));
    return { kind: isKnown ? "allowed" : "unknown" };
  }

  /** An IP address can't be rebound; if the page is for this machine only, it must be a loopback address. */
  #isOwn(name: string): boolean {
    if (isIP(name) !== 0) return !this.#options.local || isLoopback(name);
    return name === "localhost" || this.#options.names.includes(name);
  }
}

/** The host without its port, which differs behind a tunnel. */
function hostName(host: string): string | null {
  const [, version6, other] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  return (version6 ?? other)?.toLowerCase() ?? null;
}

const VARIABLE = "BROKKR_PAGE_TOKEN";
const SHORTEST = 16;

export class Token {
  readonly #token: string;
  /** What a browser stores instead of the token: it opens the page, and the token can't be derived from it. */
  readonly cookie: string;

  constructor(token: string) {
    this.#token = token;
    this.cookie = createHmac("sha256", token).update("brokkr page").digest("hex");
  }

  isToken(given: string): boolean {
    return areEqual(given, this.#token);
  }

  isCookie(given: string): boolean {
    return areEqual(given, this.cookie);
  }
}

/** Compares in constant time. */
function areEqual(one: string, other: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compared").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** The token from the file, else from the environment, which it is removed from so that no process inherits it. @throws {CliError} */
export function readToken(file: string | undefined, env: Environment): Token | null {
  const variable = env.get(VARIABLE);
  env.remove(VARIABLE);
  if (file !== undefined) return checked(textOf(file), `in "${file}"`);
  return variable === undefined ? null : checked(variable, `in ${VARIABLE}`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CliError(`Cannot read the page's token: ${messageOf(cause)}, correct --page-token-file`, { cause });
  }
}

function checked(text: string, where: string): Token {
  const token = text.trim();
  if (token.length >= SHORTEST && /^[\x21-\x7e]+$/.test(token)) return new Token(token);
  throw new CliError(
    `Cannot use the page's token ${where}: it must be at least ${SHORTEST} ASCII characters without a space, ` +
      "make one with: openssl rand -hex 32",
  );
}

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
