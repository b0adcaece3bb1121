/** What calls to a process are rejected with that was stopped on purpose. */
export const STOPPED = {
  code: "GONE" as const,
  reason: "process was stopped",
  exitCode: null,
  signal: null,
  lastLines: [],
};

/** The same for one that never came up. */
export const NOT_STARTED = { ...STOPPED, reason: "process did not start" };
