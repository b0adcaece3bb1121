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
    const { given, wantsHelp, faults: [fault] } = sortWords(COMMANDS[name], words);
    if (wantsHelp) return null;
    if (fault !== undefined) throw new TypeError(fault);
    // Each value is what its own row has read.
    return await valuesOf(COMMANDS[name], given) as ArgsOf<N>;
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(messageOf(error), name) : error;
  }
}

/** The words of a command, as far as they can be told apart. */
export interface Sorted {
  /** The words of each parameter; a switch has its own flag. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** What a further word would be, unless it is an option. */
  readonly expected: Param | undefined;
  /** There are no more options, since `--` is there. */
  readonly isOver: boolean;
  readonly wantsHelp: boolean;
  /** What is wrong, in the order of the words. */
  readonly faults: readonly string[];
}

export function sortWords(command: Command, words: readonly string[]): Sorted {
  const given = new Map<string, string[]>();
  const faults: string[] = [];
  let [isOver, wantsHelp] = [false, false];
  const free = () =>
    Object.entries(command.params).find(([key, param]) =>
      param.flags === undefined && takesMore(param, given.get(key)?.length ?? 0)
    );
  const add = (key: string, param: Param, word: string) => {
    const before = given.get(key) ?? [];
    if (takesMore(param, before.length)) given.set(key, [...before, word]);
    else faults.push(`${param.flags?.[0]} may be given once`);
  };
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (isOver || !/^-[^\d.]/.test(word)) {
      const operand = free();
      if (operand === undefined) faults.push(`"${word}" is one operand too many`);
      else add(...operand, word);
      continue;
    }
    isOver = word === "--";
    if (isOver) continue;
    const [, flag = word, attached] = /^(--[^=]+)=(.*)$/s.exec(word) ?? /^(-[^-])(.+)$/s.exec(word) ?? [];
    const [key, param] = paramOf(command, flag) ?? [];
    if (flag === "--help" || flag === "-h") wantsHelp = true;
    else if (key === undefined || param === undefined) faults.push(unknownFlag(command, flag));
    else if (param.value === undefined) {
      if (attached === undefined) add(key, param, flag);
      else faults.push(`${flag} takes no value`);
    } else {
      const value = attached ?? left.shift();
      if (value !== undefined) add(key, param, value);
      else {return {
          given,
          expected: param,
          isOver,
          wantsHelp,
          faults: [...faults, `${flag} needs ${param.value.metavar} after it`],
        };}
    }
  }
  return { given, expected: free()?.[1], isOver, wantsHelp, faults };
}

/** The parameter of that flag. */
export function paramOf({ params }: Command, flag: string): [key: string, param: Param] | undefined {
  return Object.entries(params).find(([, { flags }]) => flags?.includes(flag));
}

/** Takes one more, where it has so many already. */
export function takesMore({ count }: Param, has: number): boolean {
  return has === 0 || count === "any" || count === "some";
}

function unknownFlag({ params }: Command, flag: string): string {
  const known = [...Object.values(params).flatMap(({ flags }) => flags ?? []), "--help"];
  const near = closestMatch(flag, known);
  const hint = near === null ? `the options are ${known.join(", ")}` : `did you mean "${near}"?`;
  return `There is no option "${flag}"; ${hint}`;
}

async function valuesOf({ params }: Command, given: Sorted["given"]): Promise<Readonly<Record<string, unknown>>> {
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
