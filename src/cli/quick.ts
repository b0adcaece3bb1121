/**
 * Commands that ask a running broker one thing, in their usual forms, with a tenth of the code: it is loaded alone, and takes less
 * time than the runtime's own start. Whatever is out of the ordinary is left to the whole command line, which does it as if this were
 * not here.
 */

import { isRecord } from "../core/checks.ts";
import {
  type Answer,
  ANSWER_MS,
  ask,
  type Asked,
  type BrokerPlace,
  isDescription,
  isStatus,
  plainValue,
  PROCESSES_MS,
} from "../core/control/question.ts";
import { brokerOf, CONTROL_FOLDER, socketPath } from "../core/control/socket_name.ts";
import { escapeLines } from "../core/log/escape.ts";
import type { Asking } from "../runtime/runtime.ts";
import { descriptionsText, DONE, notStarted, readParam, resultText, toJson } from "./answers.ts";
import { ProgressLine } from "./progress_line.ts";
import { statusTable } from "./status_table.ts";

/** Runs the whole command line: from the start where nothing was asked. */
export type Rest = (asked?: Asked) => Promise<void>;

/** A pipe takes so much whole or not at all. */
const SHORT_BYTES = 4096;
/** Parameters of so many characters are within every limit, in size and in depth. */
const SHORT_PARAMS = 1_000;
const LONE_SURROGATE = /\p{Surrogate}/u;
const INTERRUPTED = 130;
/** As in role.ts, which loads more: a process of a broker has a role whatever its words are. */
const ROLE_VARIABLE = "BROKKR_ROLE";

/** A command in its usual form. */
interface Usual {
  /** How many operands it has. */
  readonly least: number;
  readonly most: number;
  /** How long the broker may take. @default for ever */
  readonly timeoutMs?: number;
  /** What is asked of the broker; null where it is left to the whole command line. */
  readonly params: (operands: readonly string[], asking: Asking) => readonly unknown[] | null;
  /** What is printed of the value that it answers; null where only the whole command line can say it. */
  readonly text: (value: unknown, shown: Shown) => string | null | Promise<string | null>;
  /** Where that goes; what is told on standard error is no result, so there is no JSON of it. @default "stdout" */
  readonly to?: "stderr";
}

interface Request {
  readonly command: string;
  readonly usual: Usual;
  readonly operands: readonly string[];
  readonly json: boolean;
  readonly broker: string | undefined;
}

interface Shown extends Request {
  readonly asking: Asking;
  readonly place: BrokerPlace;
}

const COMMANDS = {
  status: { least: 0, most: 0, timeoutMs: ANSWER_MS, params: () => [], text: statusText },
  call: { least: 2, most: Infinity, params: callParams, text: callText },
  describe: { least: 0, most: 1, timeoutMs: ANSWER_MS, params: ([name = null]) => [name, false], text: describeText },
  stop: changing(0, 1, DONE.stop),
  restart: changing(0, 1, DONE.restart, "restart"),
  reload: changing(0, 1, DONE.reload, "reload"),
  scale: changing(2, 2, DONE.scale, "scale"),
} satisfies Readonly<Record<string, Usual>>;

/** cli.ts has the names too, since it decides by them whether this file is loaded. */
export type QuickCommand = keyof typeof COMMANDS;

export async function quick(asking: Asking, words: readonly string[], rest: Rest): Promise<void> {
  const request = requestOf(words);
  if (request === null || asking.variable(ROLE_VARIABLE) !== undefined) return await rest();
  asking.onSignal("SIGINT", () => asking.exit(INTERRUPTED));
  const asked = await askFor(asking, request);
  if (asked !== undefined && await isShown(asking, request, asked)) asking.exit(0);
  await rest(asked);
}

/** Null where a word is of another form. */
function requestOf([command = "", ...words]: readonly string[]): Request | null {
  if (!isQuick(command)) return null;
  const usual: Usual = COMMANDS[command];
  const operands: string[] = [];
  let json = false;
  let broker: string | undefined;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--json" && !json && usual.to === undefined) json = true;
    else if (word === "--broker" && broker === undefined) broker = words[++index] ?? "";
    else if (/^[-@]/.test(word)) return null;
    else operands.push(word);
  }
  const isWhole = operands.length >= usual.least && operands.length <= usual.most;
  return isWhole ? { command, usual, operands, json, broker } : null;
}

function isQuick(command: string): command is QuickCommand {
  return Object.hasOwn(COMMANDS, command);
}

/** Undefined where nothing was asked: the whole command line says why not. */
async function askFor(asking: Asking, { command, usual, operands, broker }: Request): Promise<Asked | undefined> {
  using line = new ProgressLine();
  try {
    const place = brokerIn(asking, broker);
    const params = usual.params(operands, asking);
    if (place === null || params === null) return undefined;
    const show = ({ columns: [, , , values] }: Answer) => {
      if (Array.isArray(values)) line.show(toJson(values.at(-1)));
    };
    const outcome = await ask(asking, place, { command, params, timeoutMs: usual.timeoutMs }, show);
    return outcome === null ? undefined : { ...place, outcome };
  } catch {
    return undefined;
  }
}

/** Null where not one broker is meant. */
function brokerIn({ files }: Asking, given: string | undefined): BrokerPlace | null {
  const folder = files.folder(CONTROL_FOLDER);
  const names = files.list(folder).flatMap((file) => brokerOf(file) ?? []);
  const broker = given ?? (names.length === 1 ? names[0] : undefined);
  return broker !== undefined && names.includes(broker) ? { broker, path: socketPath(folder, broker) } : null;
}

/** Whether the whole answer is printed; what was asked is not asked again, whatever goes wrong here. */
async function isShown(asking: Asking, request: Request, { outcome, ...place }: Asked): Promise<boolean> {
  try {
    const envelope = plainValue(outcome);
    if (!isRecord(envelope) || envelope["ok"] !== true) return false;
    const text = await request.usual.text(envelope["value"], { ...request, asking, place });
    return text !== null && print(asking, text, request.usual.to ?? "stdout");
  } catch {
    return false;
  }
}

function statusText(value: unknown, { asking, json }: Shown): string | null {
  if (!isStatus(value)) return null;
  if (json) return `${JSON.stringify(value)}\n`;
  return `${statusTable(value, { colors: hasColors(asking), width: asking.terminal("stdout")?.columns })}\n`;
}

/** Of one that nothing is known of, the exit code says why. */
function describeText(value: unknown, { asking, json }: Shown): string | null {
  if (!isDescription(value) || value.some(({ error }) => error !== null)) return null;
  return descriptionsText(value, { json, colors: hasColors(asking) });
}

function hasColors(asking: Asking): boolean {
  return asking.terminal("stdout") !== null && !asking.variable("NO_COLOR") && asking.variable("TERM") !== "dumb";
}

function callParams([target = "", command = "", ...words]: readonly string[]): readonly unknown[] | null {
  const params = words.map(readParam);
  const asked = [target, command, params, {}];
  return params.every(isPlain) && JSON.stringify(asked).length <= SHORT_PARAMS ? asked : null;
}

/** Whether JSON keeps all of what it was read from: it has no word for -0, and none for what is too large for a number. */
function isPlain(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value === "string") return !LONE_SURROGATE.test(value);
  return typeof value !== "object" || value === null || Object.values(value).every(isPlain);
}

function callText(measured: unknown, { asking, json }: Shown): string | null {
  if (!isRecord(measured)) return null;
  const { value, attempts, ms } = measured;
  if (typeof attempts !== "number" || typeof ms !== "number") return null;
  const text = resultText({ value, attempts, ms }, json);
  if (text === null) return "";
  return `${asking.terminal("stdout") === null ? text : escapeLines(text)}\n`;
}

/**
 * Changes processes. On a terminal the whole command line shows the steps.
 *
 * @param action of one whose processes start, and have to.
 */
function changing(
  least: number,
  most: number,
  done: (operands: readonly string[]) => string,
  action?: "restart" | "reload" | "scale",
): Usual {
  return {
    least,
    most,
    timeoutMs: PROCESSES_MS,
    params([name, ...counts], asking) {
      if (asking.terminal("stderr") !== null || counts.some((count) => !/^(0|[1-9]\d{0,4})$/.test(count))) return null;
      return name === undefined ? [] : [name, ...counts.map(Number)];
    },
    async text(value, { operands, asking, place }) {
      // Why it is not done, or what of it is not.
      if (typeof value === "string" || (Array.isArray(value) && value.length > 0)) return null;
      if (action === undefined) return done(operands);
      const envelope = plainValue(await ask(asking, place, { command: "status", params: [], timeoutMs: ANSWER_MS }));
      const status = isRecord(envelope) ? envelope["value"] : undefined;
      return isStatus(status) && notStarted(status, action, operands[0]).length === 0 ? done(operands) : null;
    },
    to: "stderr",
  };
}

/** False where it could not be written, and nothing of it was. */
function print(asking: Asking, text: string, to: "stdout" | "stderr"): boolean {
  if (text === "") return true;
  const shown = asking.terminal(to) === null ? text : escapeLines(text, { colors: true });
  const bytes = new TextEncoder().encode(shown);
  if (bytes.length > SHORT_BYTES) return false;
  try {
    asking.write(bytes, to);
    return true;
  } catch {
    return false;
  }
}
