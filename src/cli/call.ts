/** `brokkr call`: calls a command of a module and prints its result. */

import { isRecord } from "../core/checks.ts";
import { BrokerError, RemoteError } from "../core/faults.ts";
import { escapeText } from "../core/log/escape.ts";
import { headline, messageOf } from "../core/user_code.ts";
import { systemReason } from "../runtime/posix/failure_reason.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode, exitCodeOf, NoBrokerError } from "./exit_codes.ts";
import { askBroker, type Context } from "./connect.ts";
import type { ArgsOf } from "./commands.ts";
import { print, shown } from "./output.ts";
import { ProgressLine } from "./progress_line.ts";
import { readParam, resultText, toJson } from "./answers.ts";

/** Not by `node:process`: to list what that exports, Node opens the three standard streams. */
const { process } = globalThis;

export async function call(runtime: Runtime, args: ArgsOf<"call">, { asked }: Context): Promise<number> {
  const { json } = args;
  const params = await readParams(args.params);
  try {
    await (args.stream ? printItems(runtime, args, params) : printResult(runtime, args, { params, asked }));
    return ExitCode.done;
  } catch (error) {
    const code = exitCodeOf(error);
    if (!json && error instanceof RemoteError) throw failureOf(error, args);
    if (!json || code === null || !(error instanceof Error)) throw error;
    await print(`${shown(toJson({ ok: false, error: describe(error) }))}\n`);
    return code;
  }
}

function failureOf(error: RemoteError, { target, command }: ArgsOf<"call">): CliError {
  const { remoteName, message, data } = error;
  const hint = STREAM_HINTS.find(([said]) => message.includes(said))?.[1];
  const isUnknown = remoteName === "JsonRpcError" && isRecord(data) && data["code"] === METHOD_NOT_FOUND;
  const next = isUnknown
    ? `see what it can be called with by "brokkr describe ${target}"`
    : "see the broker's log for its stack, or call with --json";
  const failed = `failed: ${escapeText(headline({ name: remoteName, message }))}; ${next}`;
  const text = `Command "${command}" of module "${target}" ${hint ?? failed}`;
  return new CliError(text, { cause: error, exitCode: ExitCode.failed });
}

/** What a program of another language answers where it does not know a method, such as an MCP server to the name of a tool. */
const METHOD_NOT_FOUND = -32601;

/** What the library says to its users, and what to write here. */
const STREAM_HINTS: readonly (readonly [said: string, hint: string])[] = [
  ["use stream() instead of call()", "yields items: call it with --stream"],
  ["use call() instead of stream()", "yields no items: call it without --stream"],
];

async function printResult(
  runtime: Runtime,
  { target, command, timeoutMs, json, broker }: ArgsOf<"call">,
  { params, asked }: Pick<Context, "asked"> & { readonly params: readonly unknown[] },
): Promise<void> {
  const result = await askBroker(runtime, broker, async (client) => {
    using line = new ProgressLine();
    const onProgress = (value: unknown) => line.show(toJson(value));
    return await client.call(target, command, params, { timeoutMs, onProgress });
  }, asked);
  const text = resultText(result, json);
  if (text !== null) await print(`${shown(text)}\n`);
}

async function printItems(
  runtime: Runtime,
  args: ArgsOf<"call">,
  params: readonly unknown[],
): Promise<void> {
  const { target, command, timeoutMs, json, broker } = args;
  await askBroker(runtime, broker, async (client) => {
    for await (const item of client.stream(target, command, params, { timeoutMs })) {
      if (!await print(`${shown(!json && typeof item === "string" ? item : toJson(item ?? null))}\n`)) break;
    }
  });
}

/** @throws {CliError} if a file or standard input has no JSON. */
async function readParams(params: readonly string[]): Promise<unknown[]> {
  if (params.filter((param) => param === "-").length > 1) {
    throw new CliError('Cannot read standard input twice: give "-" once');
  }
  const read: unknown[] = [];
  for (const param of params) {
    if (param === "-") {
      read.push(jsonOf("standard input", await (await import("node:stream/consumers")).text(process.stdin)));
    } else if (param.startsWith("@")) read.push(jsonOf(`"${param.slice(1)}"`, await fileText(param.slice(1))));
    else read.push(readParam(param));
  }
  return read;
}

async function fileText(path: string): Promise<string> {
  try {
    return await (await import("node:fs/promises")).readFile(path, "utf8");
  } catch (cause) {
    const message = `Cannot read parameter "@${path}": ${systemReason(cause)}; a string that begins with @ is '"@…"'`;
    throw new CliError(message, { cause });
  }
}

function jsonOf(what: string, given: string): unknown {
  try {
    return JSON.parse(given);
  } catch (cause) {
    throw new CliError(`Cannot read a parameter from ${what}: it is not JSON: ${messageOf(cause)}`, {
      cause,
    });
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
