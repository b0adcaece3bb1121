/**
 * The words behind a command, read by its row: options may stand anywhere before `--`, and what has the form of a number is an
 * operand.
 */

import { parseArgs } from "node:util";
import { closestMatch } from "../core/checks.ts";
import { messageOf } from "../core/user_code.ts";
import { CliError } from "./exit_codes.ts";
import { type ArgsOf, type Command, type CommandName, COMMANDS, type Param } from "./commands.ts";

/** Words that a command does not take. */
export class UsageError extends CliError {
  constructor(message: string, command: string | null) {
    const help = command === null ? "brokkr --help" : `brokkr ${command} --help`;
    super(`Error: ${message}\nSee "${help}"`);
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
  let expected: Param | undefined;
  const operand = () =>
    Object.entries(command.params).find(([key, param]) =>
      param.flags === undefined && takesMore(param, given.get(key)?.length ?? 0)
    );
  const add = (key: string, param: Param, word: string) => {
    const before = given.get(key) ?? [];
    if (takesMore(param, before.length)) given.set(key, [...before, word]);
    else faults.push(`${param.flags?.[0]} may be given once`);
  };
  for (const token of tokensOf(command, words)) {
    const word = words[token.index] ?? "";
    if (token.kind === "option-terminator") {
      isOver = true;
    } else if (token.kind === "positional") {
      const free = operand();
      if (free === undefined) faults.push(`"${word}" is one operand too many`);
      else add(...free, word);
    } else if (token.rawName === "--help" || token.rawName === "-h") {
      wantsHelp = true;
    } else {
      const flag = token.rawName;
      const [key, param] = paramOf(command, flag) ?? [];
      if (key === undefined || param === undefined) faults.push(unknownFlag(command, flag));
      else if (param.value !== undefined) {
        const value = token.inlineValue ? token.value : words[token.index + 1];
        if (value !== undefined) add(key, param, value);
        else {
          expected = param;
          faults.push(`${flag} needs ${param.value.metavar} after it`);
        }
      } else if (token.inlineValue) faults.push(`${flag} takes no value`);
      else add(key, param, flag);
    }
  }
  return { given, expected: expected ?? operand()?.[1], isOver, wantsHelp, faults };
}

function tokensOf({ params }: Command, words: readonly string[]) {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const { flags, value } of Object.values(params)) {
    const short = flags?.find((flag) => flag.length === 2)?.[1];
    for (const flag of flags ?? []) {
      if (!flag.startsWith("--")) continue;
      options[flag.slice(2)] = {
        type: value === undefined ? "boolean" : "string",
        ...short !== undefined && { short },
      };
    }
  }
  const args = words.map((word) => /^-[\d.]/.test(word) ? "0" : word);
  return parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

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
