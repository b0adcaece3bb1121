/** What a process of the same program must not repeat: it would listen, wait, test or evaluate where its father does. */
const DROPPED = /^--(inspect|watch|test|experimental-test|debug-port)(-[a-z-]+)?(=|$)/;
/** Dropped with the argument that follows. */
const DROPPED_WITH_VALUE = new Set([
  "-e",
  "--eval",
  "-p",
  "--print",
  "-pe",
  "--watch-path",
  "--inspect-port",
  "--debug-port",
]);

/** The father's flags for a new process of the same program. */
export function childFlags(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const flag = execArgv[i] ?? "";
    if (DROPPED_WITH_VALUE.has(flag)) i++;
    else if (!DROPPED.test(flag)) kept.push(flag);
  }
  return kept;
}

/** `env` with the same left out of NODE_OPTIONS, whose values may be quoted. */
export function childEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const options = env["NODE_OPTIONS"];
  if (options === undefined) return { ...env };
  return { ...env, NODE_OPTIONS: childFlags(options.match(/(?:"(?:\\.|[^"])*"|\S)+/g) ?? []).join(" ") };
}
