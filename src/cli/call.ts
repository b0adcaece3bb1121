/** `brokkr call`: calls a command of a module and prints its result. */

import { isRecord } from "../core/checks.ts";
import { BrokerError, RemoteError } from "../core/faults.ts";
import { escapeLines, escapeText } from "../core/log/escape.ts";
import { headline, messageOf } from "../core/user_code.ts";
import { systemReason } from "../runtime/posix/failure_reason.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode, exitCodeOf, NoBrokerError } from "./exit_codes.ts";
import { askBroker } from "./connect.ts";
import type { ArgsOf } from "./commands.ts";
import { print } from "./output.ts";
import { ProgressLine } from "./progress_line.ts";

/** Not by `node:process`: to list what that exports, Node opens the three standard streams. */
const { process } = globalThis;

export async function call(runtime: Runtime, args: ArgsOf<"call">): Promise<number> {
  const { json } = args;
  const params = await readParams(args.params);
  try {
    await (args.stream ? printItems(runtime, args, params) : printResult(runtime, args, params));
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
  args: ArgsOf<"call">,
  params: readonly unknown[],
): Promise<void> {
  const { target, command, timeoutMs, json, broker } = args;
  const { value, attempts, ms } = await askBroker(runtime, broker, async (client) => {
    using line = new ProgressLine();
    const onProgress = (value: unknown) => line.show(toJson(value));
    return await client.call(target, command, params, { timeoutMs, onProgress });
  });
  if (json) await print(`${shown(toJson({ ok: true, result: value ?? null, attempts, ms }))}\n`);
  else if (value !== undefined) await print(`${shown(typeof value === "string" ? value : toJson(value, 2))}\n`);
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

/** On a terminal, control characters are escaped; programs get the result unchanged. */
function shown(text: string): string {
  return process.stdout.isTTY === true ? escapeLines(text) : text;
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

/** Parsed as JSON if possible, else the text itself. */
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

/**
 * JSON has no bytes: they become base64. A bigint becomes its digits, which JSON allows any number of; NaN and infinities become
 * texts, because null would hide them.
 */
function toJson(value: unknown, indent?: number): string {
  let mark: string | undefined;
  const form = (_key: string, part: unknown): unknown => {
    if (typeof part === "number" && !Number.isFinite(part)) return String(part);
    if (typeof part === "bigint") return `${mark ??= crypto.randomUUID()}${part}`;
    return part instanceof Uint8Array ? base64(part) : part;
  };
  const text = JSON.stringify(value, form, indent);
  // No runtime of these writes a bigint as a number: JSON.rawJSON is missing in Node 20. No text holds the mark but these.
  return mark === undefined ? text : text.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
