/**
 * `brokkr status` and `brokkr call` in their usual forms, with a tenth of the code: it is loaded alone, and takes less time than
 * the runtime's own start. Whatever is out of the ordinary is left to the whole command line, which does it as if this were not here.
 */

import type { BrokerStatus } from "../core/broker/status.ts";
import { isRecord } from "../core/checks.ts";
import { type Answer, ask, type CallOutcome, plainValue } from "../core/control/question.ts";
import { brokerOf, CONTROL_FOLDER, socketPath } from "../core/control/socket_name.ts";
import { escapeLines } from "../core/log/escape.ts";
import type { Asking } from "../runtime/asking.ts";
import { ProgressLine } from "./progress_line.ts";
import { readParam, resultText, toJson } from "./result.ts";
import { statusTable } from "./status_table.ts";

/** What is left to do: to print a text, or what came of a call that is not to be made twice. */
export type Asked = { readonly text: string } | { readonly outcome: CallOutcome };

/** Runs the whole command line: from the start where nothing was asked. */
export type Rest = (asked?: Asked) => Promise<void>;

/** A pipe takes so much whole or not at all. */
const SHORT_BYTES = 4096;
/** Parameters of so many characters are within every limit, in size and in depth. */
const SHORT_PARAMS = 1_000;
const LONE_SURROGATE = /\p{Surrogate}/u;
const STATUS_MS = 10_000;
const INTERRUPTED = 130;
/** As in role.ts, which loads more: a process of a broker has a role whatever its words are. */
const ROLE_VARIABLE = "BROKKR_ROLE";

interface Request {
  readonly command: "status" | "call";
  readonly operands: readonly string[];
  readonly json: boolean;
  readonly broker: string | undefined;
}

export async function quick(asking: Asking, words: readonly string[], rest: Rest): Promise<void> {
  const request = requestOf(words);
  if (request === null || asking.variable(ROLE_VARIABLE) !== undefined) return await rest();
  asking.onSignal("SIGINT", () => asking.exit(INTERRUPTED));
  const asked = await answered(asking, request);
  if (asked !== undefined && "text" in asked && printed(asking, asked.text)) asking.exit(0);
  await rest(asked);
}

/** Null where a word is of another form. */
function requestOf([command, ...words]: readonly string[]): Request | null {
  if (command !== "status" && command !== "call") return null;
  const operands: string[] = [];
  let json = false;
  let broker: string | undefined;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--json" && !json) json = true;
    else if (word === "--broker" && broker === undefined) broker = words[++index] ?? "";
    else if (/^[-@]/.test(word)) return null;
    else operands.push(word);
  }
  const isWhole = command === "status" ? operands.length === 0 : operands.length >= 2;
  return isWhole ? { command, operands, json, broker } : null;
}

/** Undefined where nothing was asked, or what was asked can be asked again. */
async function answered(asking: Asking, request: Request): Promise<Asked | undefined> {
  try {
    const place = brokerIn(asking, request.broker);
    if (place === null) return undefined;
    return await (request.command === "status" ? status(asking, place, request) : call(asking, place, request));
  } catch {
    return undefined; // the whole command line says what is wrong
  }
}

interface Place {
  readonly broker: string;
  readonly path: string;
}

/** Null where not one broker is meant. */
function brokerIn({ files }: Asking, given: string | undefined): Place | null {
  const folder = files.folder(CONTROL_FOLDER);
  const names = files.list(folder).flatMap((file) => brokerOf(file) ?? []);
  const broker = given ?? (names.length === 1 ? names[0] : undefined);
  return broker !== undefined && names.includes(broker) ? { broker, path: socketPath(folder, broker) } : null;
}

async function status(asking: Asking, place: Place, { json }: Request): Promise<Asked | undefined> {
  const outcome = await ask(asking, place, { command: "status", params: [], timeoutMs: STATUS_MS });
  const envelope = outcome === null || "lost" in outcome ? undefined : plainValue(outcome);
  if (!isRecord(envelope) || envelope["ok"] !== true || !isStatus(envelope["value"])) return undefined;
  if (json) return { text: `${JSON.stringify(envelope["value"])}\n` };
  const terminal = asking.terminal();
  const colors = terminal !== null && !asking.variable("NO_COLOR") && asking.variable("TERM") !== "dumb";
  return { text: `${statusTable(envelope["value"], { colors, width: terminal?.columns })}\n` };
}

/** The broker speaks the same protocol, so this check is enough. */
function isStatus(value: unknown): value is BrokerStatus {
  return isRecord(value) && "broker" in value && Array.isArray(value["modules"]);
}

async function call(asking: Asking, place: Place, { operands, json }: Request): Promise<Asked | undefined> {
  const [target = "", command = "", ...words] = operands;
  const params = words.map(readParam);
  const asked = [target, command, params, {}];
  if (!params.every(isPlain) || JSON.stringify(asked).length > SHORT_PARAMS) return undefined;
  const line = new LazyProgress();
  const outcome = await ask(asking, place, { command: "call", params: asked }, (answer) => line.show(answer));
  if (outcome === null) return undefined;
  try {
    line[Symbol.dispose]();
    const measured = "lost" in outcome ? undefined : measuredIn(plainValue(outcome));
    if (measured === undefined) return { outcome };
    const text = resultText(measured, json);
    if (text === null) return { text: "" };
    return { text: `${asking.terminal() === null ? text : escapeLines(text)}\n` };
  } catch {
    // What was called is not called again, whatever goes wrong here.
    return { outcome };
  }
}

/** Whether JSON keeps all of what it was read from: it has no word for -0, and none for what is too large for a number. */
function isPlain(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value === "string") return !LONE_SURROGATE.test(value);
  return typeof value !== "object" || value === null || Object.values(value).every(isPlain);
}

function measuredIn(envelope: unknown) {
  const measured = isRecord(envelope) && envelope["ok"] === true ? envelope["value"] : undefined;
  if (!isRecord(measured)) return undefined;
  const { value, attempts, ms } = measured;
  return typeof attempts === "number" && typeof ms === "number" ? { value, attempts, ms } : undefined;
}

/** Where there is progress, and a terminal to show it. */
class LazyProgress implements Disposable {
  #line: ProgressLine | undefined;

  show({ columns: [, , , values] }: Answer): void {
    this.#line ??= new ProgressLine();
    if (Array.isArray(values)) this.#line.show(toJson(values.at(-1)));
  }

  [Symbol.dispose](): void {
    this.#line?.[Symbol.dispose]();
  }
}

/** False where it could not be written, and nothing of it was. */
function printed(asking: Asking, text: string): boolean {
  if (text === "") return true;
  const shown = asking.terminal() === null ? text : escapeLines(text, { colors: true });
  const bytes = new TextEncoder().encode(shown);
  if (bytes.length > SHORT_BYTES) return false;
  try {
    asking.write(bytes);
    return true;
  } catch {
    return false;
  }
}
