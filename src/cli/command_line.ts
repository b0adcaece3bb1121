/**
 * The command line: reads the arguments, runs the command, and returns an exit code. A command loads what it needs when it runs.
 */

import { closestMatch } from "../core/checks.ts";
import { escapeLines } from "../core/log/escape.ts";
import { VERSION } from "../core/version.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { readArguments, UsageError } from "./arguments.ts";
import { ExitCode, exitCodeOf, explain } from "./exit_codes.ts";
import { type ArgsOf, COMMAND_ROWS, type CommandName, COMMANDS, isCommandName } from "./commands.ts";
import type { Context } from "./connect.ts";
import { print } from "./output.ts";

/** Not by `node:process`: to list what that exports, Node opens the three standard streams. */
const { process } = globalThis;

/** Resolves with an exit code, where that may be another one than that of success. */
type Run<N extends CommandName> = (runtime: Runtime, args: ArgsOf<N>, context: Context) => Promise<number | void>;

const RUN: { readonly [N in CommandName]: () => Promise<Run<N>> } = {
  run: async () => (await import("./run.ts")).run,
  call: async () => (await import("./call.ts")).call,
  describe: async () => (await import("./describe.ts")).describe,
  inspect: async () => (await import("./inspect.ts")).inspect,
  status: async () => (await import("./status.ts")).status,
  top: async () => (await import("./top.ts")).top,
  restart: async () => (await import("./restart.ts")).restart,
  stop: async () => (await import("./restart.ts")).stop,
  scale: async () => (await import("./restart.ts")).scale,
  reload: async () => (await import("./restart.ts")).reload,
  logs: async () => (await import("./logs.ts")).logs,
  explain: async () => (await import("./explain.ts")).explainLine,
  serve: async () => (await import("./serve.ts")).serve,
  check: async () => (await import("./check.ts")).check,
  cluster: async () => (await import("./cluster.ts")).cluster,
  service: async () => (await import("./service.ts")).service,
  init: async () => (await import("./init.ts")).init,
  demo: async () => (await import("./demo.ts")).demo,
  completion: async () => (await import("./completion.ts")).completion,
  man: async () => {
    const { manPage } = await import("./help.ts");
    return async () => void await print(manPage());
  },
  help: () => Promise.resolve((_, { command }) => showHelp(command)),
  version: () => Promise.resolve(async () => void await print(`${VERSION}\n`)),
};

/** Runs the command of the arguments; returns the exit code. */
export async function commandLine(runtime: Runtime, context: Context): Promise<number> {
  try {
    const [first = "help", ...words] = process.argv.slice(2);
    return await act(runtime, context, { name: commandNamed(first), words }) ?? ExitCode.done;
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === null) throw error;
    runtime.writeError(`${escapeLines(explain(error))}\n`);
    return code;
  }
}

/** @throws {UsageError} if there is none of that name. */
function commandNamed(word: string): CommandName {
  if (word === "-V" || word === "--version") return "version";
  if (word === "-h" || word === "--help") return "help";
  if (isCommandName(word)) return word;
  if (word.startsWith("-")) {
    const near = closestMatch(word, ["--help", "--version"]);
    const hint = near === null
      ? "those of a command stand after it, as in brokkr status --json"
      : `did you mean "${near}"?`;
    throw new UsageError(`There is no option "${word}" before a command; ${hint}`, null);
  }
  const near = closestMatch(word, COMMAND_ROWS.keys());
  const hint = near === null ? `the commands are ${[...COMMAND_ROWS.keys()].join(", ")}` : `did you mean "${near}"?`;
  throw new UsageError(`There is no command "${word}"; ${hint}`, near);
}

async function act<N extends CommandName>(
  runtime: Runtime,
  context: Context,
  { name, words }: { readonly name: N; readonly words: readonly string[] },
): Promise<number | void> {
  const args = await readArguments(name, words);
  if (args === null) return await showHelp(name);
  // All but these only wait for answers, so Ctrl-C may end them at any time.
  if (name !== "run" && name !== "serve") runtime.onSignal("SIGINT", () => runtime.exit(ExitCode.interrupted));
  const run: Run<N> = await RUN[name]();
  return await run(runtime, args, context);
}

async function showHelp(command: string | undefined): Promise<void> {
  const { commandHelp, help } = await import("./help.ts");
  const width = process.stdout.isTTY === true ? Math.min(process.stdout.columns || 80, 100) : null;
  const name = command === undefined ? undefined : commandNamed(command);
  await print(name === undefined ? help(width) : commandHelp(name, COMMANDS[name], width));
}
