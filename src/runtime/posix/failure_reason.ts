/** What is wrong and what to do about it, for failures of the system that any action can meet; else what `cause` says. */
export function failureReason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  switch (failureCode(cause)) {
    case "EMFILE":
    case "ENFILE":
      return "too many files are open, raise the limit (ulimit -n) or run fewer processes";
    case "EAGAIN":
    case "ENOMEM":
      return "the system has no room for another process, raise the limit (ulimit -u) or free memory";
    case "EADDRINUSE":
    case "EEXIST":
      return `${text}, remove the file or choose another path`;
    default:
      return `${text}, check the path and the rights of this process`;
  }
}

export function cannotListen(path: string, cause: unknown): Error {
  return new Error(`Cannot listen on "${path}": ${failureReason(cause)}`, { cause });
}

/** The system's message with its name of the error, which Deno leaves out. */
export function systemReason(cause: unknown): string {
  const [code, text] = [failureCode(cause), cause instanceof Error ? cause.message : String(cause)];
  return code === undefined || text.includes(code) ? text : `${code}: ${text}`;
}

/** The system's name of the error, such as `ENOENT`. Deno gives some of its errors a number only. */
export function failureCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  if ("code" in cause && typeof cause.code === "string") return cause.code;
  return NUMBERED.get(Number(/\(os error (\d+)\)/.exec(cause.message)?.[1]));
}

const NUMBERED: ReadonlyMap<number, string> = new Map([
  [2, "ENOENT"],
  [6, "ENXIO"],
  [7, "E2BIG"],
  [8, "ENOEXEC"],
  [11, "EAGAIN"],
  [12, "ENOMEM"],
  [13, "EACCES"],
  [17, "EEXIST"],
  [23, "ENFILE"],
  [24, "EMFILE"],
  [28, "ENOSPC"],
  [30, "EROFS"],
  [32, "EPIPE"],
]);
