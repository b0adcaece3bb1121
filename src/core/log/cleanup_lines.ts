/**
 * The texts of a cleanup that take more than a line of code. Those of CLEAN AFTER FORK are an interface, see `lines.ts`.
 *
 * @module
 */

import { formatDuration } from "../duration.ts";
import { escapeName as name, escapeStackLine as stackLine, escapeText as text } from "./escape.ts";
import { nameBracket } from "./name_bracket.ts";
import type { PrintedFields } from "./printed.ts";
import type { LineStyle } from "./record.ts";
import type { ResourceFigures } from "../wire/status.ts";

export function cleanupErrorTexts(
  { owner, message, stack }: PrintedFields["cleanup.error"],
  style: LineStyle,
): string[] {
  const product = text(style.product);
  return [
    "On linux system, the forking mechanism (process creation) is fast but create a copy of the father process. " +
    "So we have to release unnecessary resources inherited from father. " +
    "The cleaning has been performed but we encountered an error:",
    `Cleanup of data from module 〖 ${name(owner)} 〗 raised error 〖 ${text(message)} 〗`,
    `Some memory may have not been freed. ${product} will still run if enough memory remains available.`,
    `You can report this message to support in order to optimize ${product} memory consumption`,
    `ERROR stack : ${stackLine(stack[0] ?? message)}`,
    ...stack.slice(1).map(stackLine),
  ].map((line) => `${nameBracket(owner, style)} ${line}`);
}

export function receiptText(fields: PrintedFields["cleanup.receipt"]): string {
  const { ms, released, errors, modules, leftovers, before, after } = fields;
  const figure = (what: string, key: keyof ResourceFigures, print: (value: number) => string) => {
    const [from, to] = [before[key], after[key]];
    return `${what} ${from === null ? "unknown" : print(from)} to ${to === null ? "unknown" : print(to)}`;
  };
  return [
    `Released ${released.length} modules [${released.map(name).join(", ")}] in ${formatDuration(ms)}`,
    `errors ${errors}`,
    figure("PSS", "pssBytes", mebibytes),
    figure("private memory", "privateBytes", mebibytes),
    figure("heap", "heapBytes", mebibytes),
    figure("open files", "openFiles", String),
    ...list("each", modules.map((module) => `${name(module.name)} ${formatDuration(module.ms)}`)),
    ...list("left over", (leftovers ?? []).map(({ kind, count }) => `${count} × ${name(kind)}`)),
  ].join(", ");
}

/** Left out where it is empty. */
function list(what: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${what} [${items.join(", ")}]`];
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
