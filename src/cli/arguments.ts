/**
 * The words behind a command, read by its row: options may stand anywhere before `--`, and what has the form of a number is an
 * operand.
 *
 * @module
 */

import { closestMatch } from "../core/checks.ts";
import { messageOf } from "../core/user_code.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { type ArgsOf, type Command, type CommandName, COMMANDS, type Param } from "./commands.ts";

/** Words that a command does not take. */
export class UsageError extends CliError {
  constructor(message: string, command: string | null) {
    const help = command === null ? "brokkr --help" : `brokkr ${command} --help`;
    super(`Error: ${message}\nSee "${help}"`, ExitCode.usage);
  }
}

/** Null where the help is asked for. @throws {UsageError} with what is wrong, and what was probably meant. */
export async function readArguments<N extends CommandName>(
  name: N,
  words: readonly string[],
): Promise<ArgsOf<N> | null> {
  try {
    const given = sort(COMMANDS[name], words);
    // Each value is what its own row has read.
    return given === null ? null : await valuesOf(COMMANDS[name], given) as ArgsOf<N>;
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(messageOf(error), name) : error;
  }
}

/** Is an option, at a place where one may stand. */
export function isFlag(word: string): boolean {
  return /^-[^\d.]/.test(word);
}

/** The parameter of that flag. */
export function paramOf({ params }: Command, flag: string): [key: string, param: Param] | undefined {
  return Object.entries(params).find(([, { flags }]) => flags?.includes(flag));
}

/** Takes no more operands where it has one already. */
export function takesMore({ count }: Param, has: number): boolean {
  return has === 0 || count === "any" || count === "some";
}

type Given = ReadonlyMap<string, readonly string[]>;

/** Which words belong to which parameter; a switch has its own flag. */
function sort(command: Command, words: readonly string[]): Given | null {
  const given = new Map<string, string[]>();
  const add = (key: string, param: Param, word: string) => {
    const before = given.get(key) ?? [];
    if (param.flags !== undefined && !takesMore(param, before.length)) {
      throw new TypeError(`${param.flags[0]} may be given once`);
    }
    given.set(key, [...before, word]);
  };
  const operand = (word: string) => {
    const free = Object.entries(command.params).find(([key, param]) =>
      param.flags === undefined && takesMore(param, given.get(key)?.length ?? 0)
    );
    if (free === undefined) throw new TypeError(`"${word}" is one operand too many`);
    add(...free, word);
  };
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === "--") {
      left.splice(0).forEach(operand);
    } else if (!isFlag(word)) {
      operand(word);
    } else if (word === "--help" || word === "-h") {
      return null;
    } else {
      const [, flag = word, attached] = /^(--[^=]+)=(.*)$/s.exec(word) ?? /^(-[^-])(.+)$/s.exec(word) ?? [];
      const [key, param] = paramOf(command, flag) ?? unknownFlag(command, flag);
      if (param.value === undefined && attached !== undefined) throw new TypeError(`${flag} takes no value`);
      const value = param.value === undefined ? flag : attached ?? left.shift();
      if (value === undefined) throw new TypeError(`${flag} needs ${param.value?.metavar} after it`);
      add(key, param, value);
    }
  }
  return given;
}

function unknownFlag({ params }: Command, flag: string): never {
  const known = [...Object.values(params).flatMap(({ flags }) => flags ?? []), "--help"];
  const near = closestMatch(flag, known);
  throw new TypeError(
    near === null
      ? `There is no option "${flag}"; the options are ${known.join(", ")}`
      : `There is no option "${flag}"; did you mean "${near}"?`,
  );
}

async function valuesOf({ params }: Command, given: Given): Promise<Readonly<Record<string, unknown>>> {
  const values: Record<string, unknown> = {};
  for (const [key, param] of Object.entries(params)) {
    const words = given.get(key) ?? [];
    const { value, count } = param;
    if (value === undefined) {
      values[key] = words.length > 0;
      continue;
    }
    if (words.length === 0 && (count === "one" || count === "some")) {
      const what = param.about.replace(/\.$/, "").replace(/^./, (letter) => letter.toLowerCase());
      throw new TypeError(`${value.metavar} is missing: ${what}`);
    }
    const read: unknown[] = [];
    for (const word of words) read.push(await value.read(word));
    values[key] = count === "any" || count === "some" ? read : read[0];
  }
  return values;
}
