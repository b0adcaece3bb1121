/**
 * `brokkr call`: one command of a module, and what came of it.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { commandLine as line, message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import process from "node:process";
import { BrokerError, RemoteError } from "../core/faults.ts";
import { escapeLines, escapeText } from "../core/log/escape.ts";
import { headline } from "../core/thrown.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode, exitCodeOf, NoBrokerError } from "./cli_error.ts";
import { askBroker } from "./connect.ts";
import { brokerOption, duration } from "./options.ts";
import { print } from "./output.ts";
import { ProgressLine } from "./progress_line.ts";

export const callParser = command(
  "call",
  object({
    action: constant("call"),
    target: argument(string({ metavar: "TARGET" }), { description: message`Name of a module.` }),
    command: argument(string({ metavar: "COMMAND" }), { description: message`Name of its command.` }),
    params: multiple(argument(string({ metavar: "PARAM" }), {
      description: message`A parameter: JSON where it is JSON, else a string. After ${
        line("--")
      } it may begin with a dash.`,
    })),
    timeoutMs: optional(option("--timeout", duration(), {
      description: message`Time for one attempt, such as 500ms or 2s. A second attempt follows.`,
    })),
    stream: option("--stream", { description: message`Print what the command yields, one item a line.` }),
    json: option("--json", {
      description: message`Print one JSON document, also of a failure; of a stream one a line.`,
    }),
    broker: brokerOption(),
  }),
  {
    brief: message`Call a command of a module`,
    footer: message`Example: ${line("brokkr call sla get_report '\"2021-10\"' --timeout 500ms")}, and ${
      line("brokkr call history since 2021-10-11 --stream | head")
    } for a command that yields.`,
  },
);

export interface CallAsked {
  readonly target: string;
  readonly command: string;
  readonly params: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly stream: boolean;
  readonly json: boolean;
  readonly broker: string | undefined;
}

export async function call(runtime: Runtime, asked: CallAsked): Promise<number> {
  const { target, command, json } = asked;
  const params = asked.params.map(readParam);
  try {
    await (asked.stream ? printItems(runtime, asked, params) : printResult(runtime, asked, params));
    return ExitCode.done;
  } catch (error) {
    const code = exitCodeOf(error);
    if (!json && error instanceof RemoteError) {
      const { remoteName, message } = error;
      throw new CliError(
        `Command "${command}" of module "${target}" failed: ${escapeText(headline({ name: remoteName, message }))}; ` +
          `see the broker's log for its stack, or call with --json`,
        ExitCode.failed,
        { cause: error },
      );
    }
    if (!json || code === null || !(error instanceof Error)) throw error;
    await print(`${shown(toJson({ ok: false, error: describe(error) }))}\n`);
    return code;
  }
}

async function printResult(runtime: Runtime, asked: CallAsked, params: readonly unknown[]): Promise<void> {
  const { target, command, timeoutMs, json, broker } = asked;
  const { value, attempts, ms } = await askBroker(runtime, broker, async (client) => {
    using line = new ProgressLine();
    const onProgress = (value: unknown) => line.show(toJson(value));
    return await client.call(target, command, params, { timeoutMs, onProgress });
  });
  if (json) await print(`${shown(toJson({ ok: true, result: value ?? null, attempts, ms }))}\n`);
  else if (value !== undefined) await print(`${shown(typeof value === "string" ? value : toJson(value, 2))}\n`);
}

async function printItems(runtime: Runtime, asked: CallAsked, params: readonly unknown[]): Promise<void> {
  const { target, command, timeoutMs, json, broker } = asked;
  await askBroker(runtime, broker, async (client) => {
    for await (const item of client.stream(target, command, params, { timeoutMs })) {
      if (!await print(`${shown(!json && typeof item === "string" ? item : toJson(item ?? null))}\n`)) break;
    }
  });
}

/** A program gets a result as it is; a terminal would do what its control characters say. */
function shown(text: string): string {
  return process.stdout.isTTY === true ? escapeLines(text) : text;
}

/** JSON where it is JSON, else the text itself. */
function readParam(param: string): unknown {
  try {
    return JSON.parse(param);
  } catch {
    return param;
  }
}

function describe(error: Error) {
  const isRemote = error instanceof RemoteError;
  const hasCode = error instanceof BrokerError || error instanceof NoBrokerError;
  return {
    code: hasCode ? error.code : "USAGE",
    name: error.name,
    message: error.message,
    remoteName: isRemote ? error.remoteName : null,
    remoteStack: isRemote ? error.remoteStack : null,
  };
}

/** Bytes are written as base64, since JSON has no word for them. */
function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, part: unknown) => part instanceof Uint8Array ? base64(part) : part, indent);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
