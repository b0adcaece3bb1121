/** Where a module's file, or one that it imports, has a syntax error: each runtime tells it in its own way. */

import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isRecord } from "../core/checks.ts";
import { messageOf, stackOf } from "../core/user_code.ts";
import type { Problem } from "./config/document.ts";
import { importedFiles } from "./watch_files.ts";

/** The same error with its place in front of its message, and no stack, which is the loader's; others as they are. */
export function withPlace(error: unknown, url: string): unknown {
  const fault = syntaxError(error, url);
  if (fault === null) return error;
  const { file, line, column, message } = fault;
  return Object.assign(new SyntaxError(`${file}:${line}:${column}: ${message}`), { stack: "" });
}

/** The fault and its place, or null where `error` is of another kind. @param url of the module's file, which may import the faulty one. */
export function syntaxError(error: unknown, url: string): Problem | null {
  return ofBun(error) ?? ofDeno(messageOf(error)) ?? ofNode(error, url);
}

/** A message of Bun's bundler, or the first of several. */
function ofBun(error: unknown): Problem | null {
  if (!isRecord(error)) return null;
  if (Array.isArray(error["errors"]) && error["errors"].length > 0) return ofBun(error["errors"][0]);
  if (!isRecord(error["position"])) return null;
  const { file, line, column } = error["position"];
  if (typeof file !== "string" || typeof line !== "number" || typeof column !== "number") return null;
  return problem(file, { line, column, message: messageOf(error) });
}

/** Colours that Deno gives to the place of an import. */
// deno-lint-ignore no-control-regex
const ESCAPES = /\x1b\[[\d;]*m/g;

/**
 * Deno: the place stands below the message; a picture of the line may be in between, and the place of an import follow, or that of
 * Deno's own code that was running.
 */
function ofDeno(text: string): Problem | null {
  const [, message = "", url, line, column] =
    /^(?:SyntaxError: )?((?:The requested module )?[^\n]*?)(?:\n.*?)?\s+at (file:\/\/\S+):(\d+):(\d+)(?:\s+at ext:.*)?(?:\n|$)/s
      .exec(
        text.replaceAll(ESCAPES, ""),
      ) ?? [];
  if (url === undefined || message.startsWith("Module not found")) return null;
  return problem(fileURLToPath(url), { line: Number(line), column: Number(column), message });
}

/** Node: before the stack of a link error, else only what `node --check` prints has it. */
function ofNode(error: unknown, url: string): Problem | null {
  if (!(error instanceof SyntaxError)) return null;
  const linked = printed(stackOf(error), error.message);
  if (linked !== null) return linked;
  if (process.versions["bun"] !== undefined || process.versions["deno"] !== undefined) return null;
  for (const file of importedFiles(fileURLToPath(url))) {
    const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
    const [, message = ""] = /^SyntaxError: (.*)$/m.exec(stderr) ?? [];
    const found = message === "" ? null : printed(stderr, message);
    if (found !== null) return found;
  }
  return null;
}

/** `FILE:LINE`, the line, and carets below its fault. */
function printed(text: string, message: string): Problem | null {
  const [, place = "", line, below = ""] = /^(\S.*):(\d+)\n(?:.*\n( *\^+)?)?/.exec(text) ?? [];
  if (line === undefined) return null;
  const file = place.startsWith("file:") ? fileURLToPath(place) : place;
  return problem(file, { line: Number(line), column: below.indexOf("^") + 1 || 1, message });
}

function problem(file: string, rest: Omit<Problem, "file">): Problem {
  return { file: relative(process.cwd(), file), ...rest };
}
