/**
 * The lines of a cleanup that no template can print: the block of an error, an interface like all of CLEAN AFTER FORK, and the
 * receipt.
 */

import { formatDuration, parseSeconds } from "../duration.ts";
import type { CleanupReceipt, ModuleCleanup, ResourceUsage } from "../wire/status.ts";
import { escapeName as name, escapeStackLine as stackLine, escapeText as text } from "./escape.ts";
import { formatMebibytes, numberOrNull } from "./field_types.ts";
import { type LineStyle, nameBracket } from "./prefix.ts";

/** What the block shows. */
export interface CleanupError {
  readonly owner: string;
  readonly message: string;
  readonly stack: readonly string[];
}

/** What the receipt's line shows: the errors of modules stand in blocks of their own. */
export type PrintedReceipt = Omit<CleanupReceipt, "modules"> & {
  readonly modules: readonly Pick<ModuleCleanup, "name" | "ms">[];
};

export function cleanupErrorTexts({ owner, message, stack }: CleanupError, style: LineStyle): string[] {
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

export function receiptText(fields: PrintedReceipt): string {
  const { ms, released, errors, modules, leftovers, before, after } = fields;
  const usage = (what: string, key: keyof ResourceUsage, print: (value: number) => string) => {
    const [from, to] = [before[key], after[key]];
    return `${what} ${from === null ? "unknown" : print(from)} to ${to === null ? "unknown" : print(to)}`;
  };
  return [
    `Released ${released.length} modules [${released.map(name).join(", ")}] in ${formatDuration(ms)}`,
    `errors ${errors}`,
    usage("PSS", "pssBytes", formatMebibytes),
    usage("private memory", "privateBytes", formatMebibytes),
    usage("heap", "heapBytes", formatMebibytes),
    usage("open files", "openFiles", String),
    ...list("each", modules.map((module) => `${name(module.name)} ${formatDuration(module.ms)}`)),
    ...list("left over", (leftovers ?? []).map(({ kind, count }) => `${count} × ${name(kind)}`)),
  ].join(", ");
}

/** Left out where it is empty. */
function list(what: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${what} [${items.join(", ")}]`];
}

const RECEIPT = "Released {count} modules [{released}] in {time}s, errors {errors}, PSS {a} to {b}, " +
  "private memory {c} to {d}, heap {e} to {f}, open files {g} to {h}";

/** How a receipt is read: its lists are left out where they are empty. */
export const RECEIPT_TEMPLATES: readonly (readonly [string, (values: readonly string[]) => PrintedReceipt])[] = [
  [`${RECEIPT}, each [{each}], left over [{left}]`, receiptOf],
  [`${RECEIPT}, left over [{left}]`, (values) => receiptOf(values.toSpliced(-1, 0, ""))],
  [`${RECEIPT}, each [{each}]`, receiptOf],
  [RECEIPT, receiptOf],
];

function receiptOf(values: readonly string[]): PrintedReceipt {
  const [, released = "", time = "", errors, ...rest] = values;
  const usages = rest.slice(0, 8);
  const [each = "", left = ""] = rest.slice(8);
  return {
    ms: parseSeconds(time),
    released: released === "" ? [] : released.split(", "),
    errors: Number(errors),
    modules: each === "" ? [] : each.split(", ").map((text) => {
      const [name = "", seconds = ""] = text.split(" ");
      return { name, ms: parseSeconds(seconds.replace(/s$/, "")) };
    }),
    leftovers: left === "" ? [] : left.split(/, (?=\d+ × )/).map((text) => {
      const [count, ...kind] = text.split(" × ");
      return { kind: kind.join(" × "), count: Number(count) };
    }),
    before: usageOf(usages.filter((_, index) => index % 2 === 0)),
    after: usageOf(usages.filter((_, index) => index % 2 === 1)),
  };
}

/** Printed in MiB with one decimal, so bytes are right to that. */
function usageOf([pss = "", privateMemory = "", heap = "", files = ""]: readonly string[]): ResourceUsage {
  return {
    pssBytes: bytesOrNull(pss),
    privateBytes: bytesOrNull(privateMemory),
    heapBytes: bytesOrNull(heap),
    openFiles: numberOrNull(files),
  };
}

function bytesOrNull(text: string): number | null {
  const value = numberOrNull(text.replace(" MiB", ""));
  return value === null ? null : Math.round(value * 1_048_576);
}
