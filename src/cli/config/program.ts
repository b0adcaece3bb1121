/**
 * Programs of other languages in a configuration.
 *
 * @module
 */

import { resolve } from "node:path";
import type { InferOutput } from "valibot";
import type { programSchema } from "./schema.ts";

type Given = InferOutput<typeof programSchema>;

/** Keys that are right by themselves and wrong together. */
export function programContradictions({ protocol = "json-rpc", framing, initialize }: Given) {
  const found: { readonly key: string; readonly text: string }[] = [];
  if (framing !== undefined && protocol !== "json-rpc") {
    found.push({ key: "framing", text: `framing is set by protocol "${protocol}", remove it` });
  }
  if (initialize !== undefined && protocol === "json-rpc") {
    const text = 'initialize is for protocol "mcp" or "lsp" only, set one of them or remove it';
    found.push({ key: "initialize", text });
  }
  return found;
}

/** What `defineProgram` takes of it, and its settings as a module. */
export function programOf(name: string, given: Given, folder: string) {
  const { command: [executable = "", ...args], protocol = "json-rpc", framing, initialize, ...settings } = given;
  const definition = {
    name,
    // A name is looked up on PATH, a path is relative like all others.
    command: [executable.includes("/") ? resolve(folder, executable) : executable, ...args],
    protocol,
    ...(framing === undefined ? {} : { framing }),
    ...(initialize === undefined ? {} : { initialize }),
  };
  return { definition, settings: { cwd: ".", ...settings } };
}
