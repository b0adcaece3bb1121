/** The help and the man page, made from the table of commands. */

import { VERSION } from "../core/version.ts";
import { columnsOf, wrap } from "./terminal.ts";
import { type Command, COMMAND_ROWS, type Param } from "./commands.ts";

const WHAT = "A broker for processes: runs modules and workers, and calls their commands.";

const EXAMPLES: Command["examples"] = [
  ["brokkr demo", "a broker with modules and workers, no configuration needed"],
  ["brokkr init", "a first module, its test and a configuration"],
  ["brokkr run", "the nearest brokkr.json, or brokkr run main.ts"],
  ["brokkr call sla get_report '\"2021-10\"'", "one command of a module"],
  ["brokkr status --json", "every process, for programs"],
];

const EXIT_CODES = "0 done, 1 the command failed, 2 usage or configuration, 3 timeout, 4 unknown module or command, " +
  "5 broker or process gone, 130 interrupted";

/** @param width of the terminal, or null for lines of any length. */
export function help(width: number | null): string {
  const commands = [...COMMAND_ROWS].flatMap(([name, command]) => [
    ...usage(name, command, { indent: "  ", width }),
    ...wrapped(command.summary, { indent: "      ", width }),
  ]);
  return lines([
    "Usage: brokkr COMMAND [ARGUMENT...]",
    "",
    ...wrapped(WHAT, { width }),
    "",
    "Commands:",
    ...commands,
    "",
    "Examples:",
    ...columns(EXAMPLES, width),
    "",
    ...wrapped(`Exit codes: ${EXIT_CODES}`, { width }),
    ...wrapped("brokkr help COMMAND says more of one command; brokkr --version (or -V) prints the version.", { width }),
  ]);
}

export function commandHelp(name: string, command: Command, width: number | null): string {
  const params = [...rowsOf(command), ["-h, --help", "Show this help."] as const];
  return lines([
    ...usage(name, command, { indent: "Usage: ", width }),
    "",
    ...wrapped(`${command.summary}.`, { width }),
    "",
    ...columns(params, width),
    "",
    "Examples:",
    ...columns(command.examples, width),
  ]);
}

/** The man page, in the language of man(7). */
export function manPage(): string {
  const bold = (text: string) => `.B ${roff(text)}`;
  const commands = [...COMMAND_ROWS].flatMap(([name, command]) => [
    `.SS ${name}`,
    bold(`brokkr ${name}`),
    roff(words(command).join(" ")),
    ".PP",
    roff(`${command.summary}.`),
    ...rowsOf(command).flatMap(([param, about]) => [".TP", bold(param), roff(about)]),
    ...command.examples.flatMap((
      [line, what],
    ) => [".PP", roff(`Example, ${what}:`), ".PP", ".RS 4", roff(line), ".RE"]),
  ]);
  return lines([
    `.TH BROKKR 1 "" "brokkr ${VERSION}" "User Commands"`,
    ".SH NAME",
    "brokkr \\- a broker for processes",
    ".SH SYNOPSIS",
    bold("brokkr"),
    ".I COMMAND",
    "[ARGUMENT...]",
    ".SH DESCRIPTION",
    roff(WHAT),
    ".SH COMMANDS",
    ...commands,
    ".SH EXIT STATUS",
    ...EXIT_CODES.split(", ").flatMap((
      code,
    ) => [".TP", bold(code.split(" ")[0] ?? ""), roff(code.replace(/^\d+ /, ""))]),
  ]);
}

/** Text that has no meaning to man. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^([.'])/, "\\&$1").replaceAll("'", "\\(aq");
}

function rowsOf({ params }: Command): (readonly [param: string, about: string])[] {
  return Object.values(params).map((param) => [nameOf(param, ", "), param.about] as const);
}

function nameOf({ flags, value }: Param, between: string): string {
  return [flags?.join(between) ?? "", value?.metavar ?? ""].filter((part) => part !== "").join(" ");
}

/** The options and operands of a usage. */
function words({ params }: Command): string[] {
  const isOption = ({ flags }: Param) => flags !== undefined;
  const all = Object.values(params);
  return [...all.filter(isOption), ...all.filter((param) => !isOption(param))].map((param) => {
    const isMany = param.count === "any" || param.count === "some";
    const name = `${nameOf(param, "|")}${isMany ? "..." : ""}`;
    return param.count === "one" || param.count === "some" ? name : `[${name}]`;
  });
}

interface Place {
  readonly indent?: string;
  readonly width: number | null;
}

function usage(name: string, command: Command, { indent = "", width }: Place): string[] {
  const first = `${indent}brokkr ${name}`;
  const rows = [first];
  for (const word of words(command)) {
    const row = `${rows.at(-1)} ${word}`;
    if (width === null || row.length <= width) rows[rows.length - 1] = row;
    else rows.push(`${" ".repeat(first.length)} ${word}`);
  }
  return rows;
}

function wrapped(text: string, { indent = "", width }: Place): string[] {
  return (width === null ? [text] : wrap(text, width - indent.length)).map((line) => indent + line);
}

/** Two columns, the second one wrapped. Where the first is long, the second begins below it. */
function columns(rows: readonly (readonly [string, string])[], width: number | null): string[] {
  const first = Math.min(30, Math.max(...rows.map(([text]) => columnsOf(text))));
  return rows.flatMap(([text, about]) => {
    const indent = " ".repeat(first + 4);
    const [line = "", ...more] = wrapped(about, { indent, width });
    const isLong = text.length > first;
    return isLong ? [`  ${text}`, line, ...more] : [`  ${text.padEnd(first)}  ${line.trimStart()}`, ...more];
  });
}

function lines(all: readonly string[]): string {
  return `${all.map((line) => line.trimEnd()).join("\n")}\n`;
}
