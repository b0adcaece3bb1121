/**
 * Who may see the page. A web site that somebody visits can send requests to this machine, and by a name that it points here (DNS
 * rebinding) read the answers: so the host that a request names must be known, and its origin the same.
 *
 * @module
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { messageOf } from "../../core/thrown.ts";
import type { Environment } from "../../runtime/runtime.ts";
import { CliError, ExitCode } from "../cli_error.ts";
import { isLoopback } from "./address.ts";

type Verdict =
  | { readonly kind: "allowed" }
  | { readonly kind: "refused"; readonly why: string }
  /** The token is missing or wrong. */
  | { readonly kind: "unknown" }
  /** The token came in the address, where it should not stay. */
  | { readonly kind: "login"; readonly cookie: string };

interface AccessOptions {
  readonly token: Token | null;
  /** Names that are this machine's, besides `localhost`. */
  readonly names: readonly string[];
  /** Whether only this machine reaches it. */
  readonly local: boolean;
  readonly port: number;
}

export class Access {
  readonly #options: AccessOptions;
  readonly #cookie: string;

  constructor(options: AccessOptions) {
    this.#options = options;
    // Cookies of a machine are those of all its ports.
    this.#cookie = `brokkr_page_${options.port}`;
  }

  /** Whether the request is one that a person or a program of theirs means, whoever that is. */
  origin({ headers }: IncomingMessage): Verdict {
    const { host = "", origin } = headers;
    const name = hostName(host);
    if (name === null || !this.#isOwn(name)) {
      return { kind: "refused", why: `host "${host}" is none of this page's, use the address that --page has` };
    }
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      return { kind: "refused", why: `origin "${origin}" is another than host "${host}"` };
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

  /** An address is never somebody else's name; where others can't come from, theirs is none of ours. */
  #isOwn(name: string): boolean {
    if (isIP(name) !== 0) return !this.#options.local || isLoopback(name);
    return name === "localhost" || this.#options.names.includes(name);
  }
}

/** The host without its port, which is another one behind a tunnel. */
function hostName(host: string): string | null {
  const [, version6, other] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  return (version6 ?? other)?.toLowerCase() ?? null;
}

const VARIABLE = "BROKKR_PAGE_TOKEN";
const SHORTEST = 16;

export class Token {
  readonly #token: string;
  /** What a browser keeps in place of the token: good for the page, and nothing else can be made of it. */
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

/** In a time that tells nothing of where they differ. */
function areEqual(one: string, other: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compared").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** The token of the file, else of the environment, where no new process finds it any more. @throws {CliError} */
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
    const why = messageOf(cause);
    throw new CliError(`Cannot read the page's token: ${why}, correct --page-token-file`, ExitCode.usage, { cause });
  }
}

function checked(text: string, where: string): Token {
  const token = text.trim();
  if (token.length >= SHORTEST && /^[\x21-\x7e]+$/.test(token)) return new Token(token);
  throw new CliError(
    `Cannot use the page's token ${where}: it must be at least ${SHORTEST} ASCII characters without a space, ` +
      "make one with: openssl rand -hex 32",
    ExitCode.usage,
  );
}
