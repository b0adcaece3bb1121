/**
 * The command line: parses the arguments, runs the command, and returns an exit code.
 *
 * @module
 */

import { or } from "@optique/core/constructs";
import { lineBreak, message, text } from "@optique/core/message";
import { run as parse } from "@optique/run";
import { escapeLines } from "../core/log/escape.ts";
import { VERSION } from "../core/version.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { call, callParser } from "./call.ts";
import { check, checkParser } from "./check.ts";
import { ExitCode, exitCodeOf, explain } from "./cli_error.ts";
import { demo, demoParser } from "./demo.ts";
import { explainLine, explainParser } from "./explain.ts";
import { init, initParser } from "./init.ts";
import { logs, logsParser } from "./logs.ts";
import { print } from "./output.ts";
import { reload, reloadParser } from "./reload.ts";
import { restart, restartParser } from "./restart.ts";
import { run, runParser } from "./run.ts";
import { serve, serveParser } from "./serve.ts";
import { status, statusParser } from "./status.ts";
import { stop, stopParser } from "./stop.ts";
import { top, topParser } from "./top.ts";

const parser = or(
  runParser,
  callParser,
  statusParser,
  topParser,
  restartParser,
  stopParser,
  reloadParser,
  logsParser,
  explainParser,
  serveParser,
  checkParser,
  initParser,
  demoParser,
);

const EXAMPLES = [
  ["brokkr demo", "a broker with modules and workers, no configuration needed"],
  ["brokkr init", "a first module, its test and a configuration"],
  ["brokkr run", "the nearest brokkr.json, or brokkr run main.ts"],
  ["brokkr call sla get_report '\"2021-10\"'", "one command of a module"],
  ["brokkr status --json", "every process, for programs"],
] as const;

const EXIT_CODES = "Exit codes: 0 done, 1 the command failed, 2 usage or configuration, 3 timeout, " +
  "4 unknown module or command, 5 broker or process gone, 130 interrupted";

const SEE_HELP = 'See "brokkr --help", or for one command "brokkr call --help"';

/** Runs the command of the arguments; returns the exit code. */
export async function commandLine(runtime: Runtime, depth: number): Promise<number> {
  try {
    const args = readArguments(runtime);
    if (!(args instanceof Shown)) return await act(runtime, args, depth);
    if (args.text !== "") await print(args.text);
    return args.exitCode;
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === null) throw error;
    runtime.writeError(`${escapeLines(explain(error))}\n`);
    return code;
  }
}

/** Only text is to be shown: help, the version, completions, or an error in the arguments. */
class Shown extends Error {
  readonly text: string;
  readonly exitCode: number;

  constructor(text: string, exitCode: number) {
    super("shown");
    this.text = text;
    this.exitCode = exitCode;
  }
}

function readArguments(runtime: Runtime) {
  let shown = "";
  try {
    return parse(parser, {
      programName: "brokkr",
      help: "option",
      version: { value: VERSION, option: true },
      completion: "command",
      errorExitCode: ExitCode.usage,
      aboveError: "none",
      stdout: (text) => void (shown += `${text}\n`),
      stderr: (text) => runtime.writeError(`${text}\n${SEE_HELP}\n`),
      onExit(exitCode) {
        throw new Shown(shown, exitCode);
      },
      brief: message`A broker for processes: runs modules and workers, and calls their commands.`,
      examples: EXAMPLES.flatMap(([line, what]) => [text(`${line.padEnd(40)}${what}`), lineBreak()]).slice(0, -1),
      footer: message`${text(EXIT_CODES)}`,
    });
  } catch (error) {
    if (error instanceof Shown) return error;
    throw error;
  }
}

async function act(
  runtime: Runtime,
  args: Exclude<ReturnType<typeof readArguments>, Shown>,
  depth: number,
): Promise<number> {
  if (args.action === "run") return await run(runtime, args, depth);
  if (args.action === "serve") return await serve(runtime, args, depth);
  // The commands below only wait for answers, so Ctrl-C may end them at any time.
  runtime.onSignal("SIGINT", () => runtime.exit(ExitCode.interrupted));
  switch (args.action) {
    case "call":
      return await call(runtime, args);
    case "status":
      return await status(runtime, args);
    case "top":
      return await top(runtime, args);
    case "restart":
      return await restart(runtime, args);
    case "stop":
      return await stop(runtime, args);
    case "reload":
      return await reload(runtime, args);
    case "logs":
      return await logs(runtime, args);
    case "explain":
      return await explainLine(args);
    case "check":
      return await check(runtime, args);
    case "init":
      return await init(runtime, args);
    case "demo":
      return await demo(runtime, args);
  }
}
