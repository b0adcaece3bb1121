/**
 * The secret that opens the page to those who are not on this machine. It comes from a file or the environment, since everybody sees
 * the arguments of a process.
 *
 * @module
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Environment } from "../../runtime/runtime.ts";
import { CliError, ExitCode } from "../cli_error.ts";
import { messageOf } from "../../core/thrown.ts";

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
