/**
 * The command line: what was asked for is parsed, done, and told by an exit code.
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

/** Does what the arguments say; gives the exit code. */
export async function commandLine(runtime: Runtime, depth: number): Promise<number> {
  try {
    const asked = readArguments(runtime);
    if (!(asked instanceof Shown)) return await act(runtime, asked, depth);
    if (asked.text !== "") await print(asked.text);
    return asked.exitCode;
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === null) throw error;
    runtime.writeError(`${escapeLines(explain(error))}\n`);
    return code;
  }
}

/** What the arguments ask for is only shown: help, the version, completions, or what is wrong with them. */
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
  asked: Exclude<ReturnType<typeof readArguments>, Shown>,
  depth: number,
): Promise<number> {
  if (asked.action === "run") return await run(runtime, asked, depth);
  if (asked.action === "serve") return await serve(runtime, asked, depth);
  // From here on only answers are waited for, so that leaving harms nobody.
  runtime.onSignal("SIGINT", () => runtime.exit(ExitCode.interrupted));
  switch (asked.action) {
    case "call":
      return await call(runtime, asked);
    case "status":
      return await status(runtime, asked);
    case "top":
      return await top(runtime, asked);
    case "restart":
      return await restart(runtime, asked);
    case "stop":
      return await stop(runtime, asked);
    case "reload":
      return await reload(runtime, asked);
    case "logs":
      return await logs(runtime, asked);
    case "explain":
      return await explainLine(asked);
    case "check":
      return await check(runtime, asked);
    case "init":
      return await init(runtime, asked);
    case "demo":
      return await demo(runtime, asked);
  }
}
