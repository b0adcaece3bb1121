/** Why a process could not be created, in words that say what to do. */
export function spawnError(
  what: string,
  facts: { cause: unknown; cwd?: string | undefined; cwdExists: boolean },
): Error {
  const { cause } = facts;
  if (facts.cwd !== undefined && !facts.cwdExists) {
    return new Error(
      `Cannot start ${what}: working directory "${facts.cwd}" does not exist, create it or correct "cwd"`,
      {
        cause,
      },
    );
  }
  return new Error(`Cannot start ${what}: ${reason(cause)}`, { cause });
}

function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = codeOf(cause) ?? /\b(E[A-Z]{3,})\b/.exec(text)?.[1];
  if (code === "ENOENT" || /os error 2\b|not found/i.test(text)) {
    return "the executable does not exist, install it or correct its path";
  }
  if (code === "EACCES" || /os error 13\b/.test(text)) return "the executable may not be run, check its mode";
  if (code === "EMFILE" || code === "ENFILE" || /os error 2[34]\b/.test(text)) {
    return "too many files are open, raise the limit (ulimit -n) or run fewer processes";
  }
  if (code === "EAGAIN" || code === "ENOMEM" || /os error 1[12]\b/.test(text)) {
    return "the system has no room for another process, raise the limit (ulimit -u) or free memory";
  }
  if (code === "E2BIG" || /os error 7\b/.test(text)) {
    return "arguments and environment are too long, shorten them";
  }
  return `${text}, check the path and the rights of this process`;
}

function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}
